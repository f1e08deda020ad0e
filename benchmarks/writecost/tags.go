package writecost

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// Tags lists what each kind of write rotates, as the plugin reports it.
func Tags(ctx context.Context, w *world.World) (report.Section, error) {
	events := &world.Events{}
	h, err := w.Cached("tags", events)
	if err != nil {
		return report.Section{}, err
	}
	if err := shop.Prepare(h.DB); err != nil {
		return report.Section{}, err
	}
	if err := ready(h.WithContext(ctx)); err != nil {
		return report.Section{}, err
	}
	events.Take()
	table := report.Table{Columns: []string{"write", "tags", "which", "SQL statements", "Redis commands", "Redis round trips"}}
	for _, k := range kinds() {
		sql, commands, exchanges := h.SQL.All(), h.Redis.All(), h.Redis.Exchanges()
		if err := k.write(h.WithContext(ctx)); err != nil {
			return report.Section{}, fmt.Errorf("%s: %w", k.name, err)
		}
		sql, commands, exchanges = h.SQL.All()-sql, h.Redis.All()-commands, h.Redis.Exchanges()-exchanges
		_, writes := events.Take()
		var tags []string
		for _, e := range writes {
			tags = append(tags, e.Tags...)
		}
		table.Add(k.name, strconv.Itoa(len(tags)), grouped(tags), strconv.FormatInt(sql, 10),
			strconv.FormatInt(commands, 10), strconv.FormatInt(exchanges, 10))
	}
	return report.Section{
		Title: "Tags that a write rotates",
		Text: "As the plugin reports them (`metrics.WriteEvent`). Tags with copies count once for each copy. SQL statements " +
			"include BEGIN and COMMIT, and what the plugin asks the database besides.",
		Tables: []report.Table{table},
	}, nil
}

// ready carries out a few writes, so that those that are counted find connections and scripts.
func ready(db *gorm.DB) error {
	for id := range int64(5) {
		if err := db.Model(&shop.Tag{ID: id + 1}).Update("name", "renamed").Error; err != nil {
			return err
		}
	}
	return nil
}

// grouped names tags, and counts those of one kind and table.
func grouped(tags []string) string {
	if len(tags) == 0 {
		return "none"
	}
	var order []string
	groups := map[string][]string{}
	for _, tag := range tags {
		group := tag
		if parts := strings.SplitN(tag, ":", 3); len(parts) == 3 {
			group = parts[0] + ":" + parts[1]
		}
		if groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], tag)
	}
	names := make([]string, len(order))
	for i, group := range order {
		members := groups[group]
		slices.Sort(members)
		switch same := slices.Compact(slices.Clone(members)); {
		case len(members) == 1:
			names[i] = "`" + members[0] + "`"
		case len(same) == 1:
			names[i] = fmt.Sprintf("`%s` × %d", same[0], len(members))
		default:
			names[i] = fmt.Sprintf("`%s:…` × %d", group, len(members))
		}
	}
	return strings.Join(names, ", ")
}
