package rowcodec

import "database/sql/driver"

// RowOf returns a row of values.
func RowOf(values ...driver.Value) Row { return Row{values: values} }
