package differential_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm/schema"
)

// kind has columns of the usual kinds, and the Go types that programs have for them.
type kind struct {
	ID      int64
	Small   int16
	Single  float32 `gorm:"type:real"`
	Double  float64
	Number  string `gorm:"type:numeric"`
	Text    string
	Padded  code           `gorm:"type:char(5)"`
	Bytes   []byte         `gorm:"type:bytea"`
	Doc     document       `gorm:"type:jsonb"`
	Words   words          `gorm:"type:text[]"`
	Counts  *string        `gorm:"type:int[]"`
	Unique  identifier     `gorm:"type:uuid"`
	Day     *time.Time     `gorm:"type:date"`
	Clock   *string        `gorm:"type:time without time zone"`
	At      *time.Time     `gorm:"type:timestamp"`
	Zoned   *time.Time     `gorm:"type:timestamptz"`
	Span    *string        `gorm:"type:interval"`
	Mood    *species       `gorm:"type:species"`
	Level   level          `gorm:"type:int"`
	Twice   int            `gorm:"->;type:int GENERATED ALWAYS AS (small * 2) STORED"`
	Sealed  sealed         `gorm:"type:text"`
	Packed  map[string]int `gorm:"serializer:gob"`
	Stamp   int64          `gorm:"serializer:unixtime;type:timestamptz"`
	Maybe   sql.Null[string]
	Flag    *bool
	Wait    time.Duration
	Net     *string `gorm:"type:inet"`
	Span4   *string `gorm:"type:int4range"`
	Cash    *string `gorm:"type:money"`
	Bits    *string `gorm:"type:bit(3)"`
	Ignored string  `gorm:"-"`
}

// rarity has columns of the kinds that are left, and what GORM's tags can say of a column.
type rarity struct {
	ID       uint64 `gorm:"primaryKey;autoIncrement:false"`
	Tiny     int8
	Short    uint16
	Big      uint64
	Since    moment   `gorm:"type:date"`
	Ended    moment   `gorm:"type:timestamp"`
	Until    moment   `gorm:"type:timestamptz"`
	Flags    *string  `gorm:"type:bool[]"`
	Sums     *string  `gorm:"type:numeric[]"`
	Uniques  *string  `gorm:"type:uuid[]"`
	Blobs    *string  `gorm:"type:bytea[]"`
	Moods    *string  `gorm:"type:species[]"`
	Instants *string  `gorm:"type:timestamptz[]"`
	Raw      document `gorm:"type:json"`
	Evening  *string  `gorm:"type:timetz"`
	Letter   *string  `gorm:"type:\"char\""`
	Label    *string  `gorm:"type:name"`
	Subnet   *string  `gorm:"type:cidr"`
	Card     *string  `gorm:"type:macaddr"`
	Mask     *string  `gorm:"type:varbit"`
	Couple   *string  `gorm:"type:couple"`
	Positive *int     `gorm:"type:positive"`
	Stay     *string  `gorm:"type:tstzrange"`
	Gaps     *string  `gorm:"type:int4multirange"`
	Spot     *string  `gorm:"type:point"`
	Markup   *string  `gorm:"type:xml"`
	Lexemes  *string  `gorm:"type:tsvector"`
	Object   *uint32  `gorm:"type:oid"`
	Cipher   cipher   `gorm:"type:text"`
	Tree     any      `gorm:"serializer:json"`
	Seen     sql.NullTime
	Exact    sql.NullFloat64
	Work     *address `gorm:"embedded;embeddedPrefix:work_"`
	Stamps   stamps   `gorm:"embedded"`
	Once     string   `gorm:"<-:create"`
	Hidden   string   `gorm:"->:false;<-:create"`
	Given    string   `gorm:"default:given"`
}

// stamps are what GORM fills in.
type stamps struct {
	Made    int64 `gorm:"autoCreateTime:milli"`
	Changed int64 `gorm:"autoUpdateTime:nano"`
}

// Types of columns. Those with methods to scan and to write have one for the pointer and one for the value, as usual.
type (
	species string
	code    string
	level   int
	// document keeps JSON as it is.
	document json.RawMessage //nolint:recvcheck // as it says
	// words is an array of texts.
	words struct{ list []string } //nolint:recvcheck // as it says
	// identifier is a UUID.
	identifier [16]byte //nolint:recvcheck // as it says
	// sealed has nothing that a caller could reach.
	sealed struct { //nolint:recvcheck // as it says
		text   string
		opened int
	}
	// moment is a time, or what is before or after all times.
	moment struct { //nolint:recvcheck // as it says
		at   time.Time
		text string
	}
	// cipher is a serializer of itself.
	cipher string //nolint:recvcheck // as it says
)

// GormDataType implements schema.GormDataTypeInterface.
func (document) GormDataType() string { return "jsonb" }

// Value implements driver.Valuer.
func (d document) Value() (driver.Value, error) {
	if d == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	return string(d), nil
}

// Scan implements sql.Scanner.
func (d *document) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d = nil
	case []byte:
		*d = bytes.Clone(v)
	case string:
		*d = document(v)
	default:
		return fmt.Errorf("document: %T", v)
	}
	return nil
}

// Value implements driver.Valuer.
func (w words) Value() (driver.Value, error) { return "{" + strings.Join(w.list, ",") + "}", nil }

// Scan implements sql.Scanner.
func (w *words) Scan(v any) error {
	if v == nil {
		w.list = nil
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("words: %T", v)
	}
	w.list = strings.Split(strings.Trim(s, "{}"), ",")
	return nil
}

// Value implements driver.Valuer.
func (i identifier) Value() (driver.Value, error) {
	return fmt.Sprintf("%x-%x-%x-%x-%x", i[:4], i[4:6], i[6:8], i[8:10], i[10:]), nil
}

var errIdentifier = errors.New("no identifier")

// Scan implements sql.Scanner.
func (i *identifier) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i = identifier{}
		return nil
	case string:
		var b []byte
		if _, err := fmt.Sscanf(strings.ReplaceAll(v, "-", ""), "%x", &b); err != nil {
			return err
		}
		copy(i[:], b)
		return nil
	default:
		return fmt.Errorf("%w: %T", errIdentifier, v)
	}
}

// Value implements driver.Valuer.
func (s sealed) Value() (driver.Value, error) { return s.text, nil }

// Scan implements sql.Scanner. It counts, as a value that is scanned into twice would show.
func (s *sealed) Scan(v any) error {
	s.opened++
	switch v := v.(type) {
	case nil:
		s.text = "<nil>"
	case string:
		s.text = v
	case []byte:
		s.text = "bytes:" + string(v)
	default:
		return fmt.Errorf("sealed: %T", v)
	}
	return nil
}

// Value implements driver.Valuer.
func (m moment) Value() (driver.Value, error) {
	switch {
	case m.text != "":
		return m.text, nil
	case m.at.IsZero():
		return nil, nil //nolint:nilnil // NULL
	default:
		return m.at, nil
	}
}

// Scan implements sql.Scanner.
func (m *moment) Scan(v any) error {
	*m = moment{}
	switch v := v.(type) {
	case nil:
	case time.Time:
		m.at = v
	case string:
		m.text = v
	default:
		return fmt.Errorf("moment: %T", v)
	}
	return nil
}

// Value implements schema.SerializerInterface.
func (cipher) Value(_ context.Context, field *schema.Field, _ reflect.Value, v any) (any, error) {
	return fmt.Sprintf("%s<%v>", field.DBName, v), nil
}

// Scan implements schema.SerializerInterface.
func (c *cipher) Scan(_ context.Context, field *schema.Field, _ reflect.Value, v any) error {
	*c = cipher(fmt.Sprintf("%s %T %v", field.Name, v, v))
	return nil
}
