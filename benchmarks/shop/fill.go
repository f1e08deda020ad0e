package shop

import (
	"context"

	"gorm.io/gorm"
)

// A Size says how much there is.
type Size struct {
	Users int
	Tags  int
}

// Orders that users have in the beginning. The first ones, whom a zipf distribution prefers, have more than a list shows.
const (
	BusyOrders  = 25
	QuietOrders = 2
	// busyShare is the part of users that are busy: one of so many.
	busyShare = 20
	// TagsOfUser is how many tags each user has.
	TagsOfUser = 3
)

// Busy is how many users have more orders than a list shows: those with the lowest ids.
func (s Size) Busy() int { return max(1, s.Users/busyShare) }

// Fill makes the tables, with rows.
func Fill(ctx context.Context, db *gorm.DB, size Size) error {
	db = db.WithContext(ctx)
	if err := Prepare(db); err != nil {
		return err
	}
	if err := db.AutoMigrate(&User{}, &Tag{}, &Order{}, &UserTag{}); err != nil {
		return err
	}
	statements := []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO users (id, name, email, city, age, score, active, balance, bio, created_at)
			SELECT n, 'user ' || n, 'user' || n || '@example.com', 'city ' || n % 100, 18 + n % 60, n % 1000 / 10.0, n % 2 = 0,
				n % 5000, repeat('lorem ipsum ', 8), '2024-01-01'::timestamptz + n * interval '1 second'
			FROM generate_series(1, ?) n`, []any{size.Users}},
		{`INSERT INTO tags (id, name) SELECT n, 'tag ' || n FROM generate_series(1, ?) n`, []any{size.Tags}},
		{
			`INSERT INTO orders (user_id, total, status, note, created_at)
			SELECT u, 10 * u + k, 'open', 'note ' || k, '2024-02-01'::timestamptz + k * interval '1 minute'
			FROM generate_series(1, ?) u, generate_series(1, ?) k WHERE u <= ? OR k <= ?`,
			[]any{size.Users, BusyOrders, size.Busy(), QuietOrders},
		},
		{
			`INSERT INTO user_tags (user_id, tag_id)
			SELECT DISTINCT u, 1 + (u * 7 + k * 13) % ?::bigint FROM generate_series(1, ?) u, generate_series(1, ?) k`,
			[]any{size.Tags, size.Users, TagsOfUser},
		},
		{
			`SELECT setval(pg_get_serial_sequence('users', 'id'), ?), setval(pg_get_serial_sequence('tags', 'id'), ?)`,
			[]any{size.Users, size.Tags},
		},
		{`ANALYZE users, tags, orders, user_tags`, nil},
	}
	for _, s := range statements {
		if err := db.Exec(s.sql, s.args...).Error; err != nil {
			return err
		}
	}
	return nil
}

// FillItems makes the table of items, with so many rows.
func FillItems(ctx context.Context, db *gorm.DB, rows int) error {
	db = db.WithContext(ctx)
	if err := db.AutoMigrate(&Item{}); err != nil {
		return err
	}
	err := db.Exec(`INSERT INTO items (id, name, stock, price, text)
		SELECT n, 'item ' || n, n % 100, n % 1000, 'lorem ipsum' FROM generate_series(1, ?) n`, rows).Error
	if err != nil {
		return err
	}
	return db.Exec(`ANALYZE items`).Error
}
