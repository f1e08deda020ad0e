// Package shop is the data that is measured: users with orders and tags.
package shop

import (
	"time"

	"gorm.io/gorm"
)

// A User has ten columns, as tables of applications do.
type User struct {
	ID        int64
	Name      string
	Email     string `gorm:"uniqueIndex"`
	City      string
	Age       int64
	Score     float64
	Active    bool
	Balance   int64
	Bio       string
	CreatedAt time.Time
	Orders    []Order `gorm:"constraint:OnDelete:CASCADE"`
	Tags      []Tag   `gorm:"many2many:user_tags"`
}

// An Order is a user's.
type Order struct {
	ID        int64 `gorm:"index:orders_by_user,priority:2"`
	UserID    int64 `gorm:"index:orders_by_user,priority:1"`
	Total     int64
	Status    string
	Note      string
	CreatedAt time.Time
}

// A Tag is shared by users.
type Tag struct {
	ID   int64
	Name string
}

// A UserTag links a user to a tag.
type UserTag struct {
	UserID int64 `gorm:"primaryKey"`
	TagID  int64 `gorm:"primaryKey"`
}

// An Item stands alone: its table is made as long as a measurement wants.
type Item struct {
	ID    int64
	Name  string
	Stock int64
	Price int64
	Text  string
}

// An OrderLine is an order with its user's name.
type OrderLine struct {
	ID     int64
	Total  int64
	Status string
	Name   string
}

// Models are the models of the shop.
func Models() []any { return []any{&User{}, &Tag{}, &Order{}, &UserTag{}, &Item{}} }

// Prepare tells a handle which model the links of users and tags are.
func Prepare(db *gorm.DB) error { return db.SetupJoinTable(&User{}, "Tags", &UserTag{}) }
