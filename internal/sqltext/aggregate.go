package sqltext

// aggregates reports whether the answer of a query is one row of aggregates, or none: it calls an aggregate in its select
// list, and neither groups rows nor is put together with others (SQL:2016, 7.17: without GROUP BY, all rows are one
// group). What it does not recognize is not one; nothing but a time to live depends on it.
func (p *parser) aggregates() bool {
	at := p.find(0, "select")
	if at > 0 && !p.at(0).is("with") || p.find(at, "union", "intersect", "except") < len(p.tokens) {
		return false
	}
	for i := p.find(at, "group"); i < len(p.tokens); i = p.find(i+1, "group") {
		if p.at(i + 1).is("by") { // not WITHIN GROUP
			return false
		}
	}
	for i, end := at+1, p.find(at, "from"); i < end; i++ {
		if p.at(i).is("(") && p.at(i+1).in("select", "with", "values", "table") {
			i = p.closing(i, len(p.tokens)) // a query of its own
			continue
		}
		if p.at(i).kind == word && !p.dotted(i) && p.at(i+1).is("(") && aggregate(p.at(i).text) && !p.windowed(i+1) {
			return true
		}
	}
	return false
}

// windowed reports whether the arguments that begin at i are those of a window function: OVER follows, perhaps after FILTER.
func (p *parser) windowed(i int) bool {
	i = p.closing(i, len(p.tokens)) + 1
	if p.at(i).is("filter") && p.at(i+1).is("(") {
		i = p.closing(i+1, len(p.tokens)) + 1
	}
	return p.at(i).is("over")
}

// aggregate lists functions that make one value of many rows.
func aggregate(function string) bool {
	switch function {
	case "count", "sum", "avg", "min", "max", "total", "group_concat", "string_agg", "array_agg", "json_agg", "jsonb_agg",
		"json_object_agg", "jsonb_object_agg", "json_group_array", "json_group_object", "json_arrayagg", "json_objectagg",
		"bool_and", "bool_or", "every", "bit_and", "bit_or", "bit_xor", "std", "stddev", "stddev_pop", "stddev_samp", "variance",
		"var_pop", "var_samp", "corr", "covar_pop", "covar_samp", "percentile_cont", "percentile_disc", "mode":
		return true
	default:
		return false
	}
}
