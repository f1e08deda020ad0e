package main

import (
	"fmt"

	"gorm.io/gorm"
)

// User is a customer.
type User struct {
	ID     int
	Name   string
	Orders []Order `gorm:"constraint:OnDelete:CASCADE"`
	Tags   []Tag   `gorm:"many2many:user_tags;constraint:OnDelete:CASCADE"`
}

// Order is what a customer has bought.
type Order struct {
	ID     int
	UserID int `gorm:"index"`
	Cents  int
	Paid   bool
}

// Tag is a mark that customers share.
type Tag struct {
	ID   int
	Name string
}

// TopCustomer is a row of a report.
type TopCustomer struct {
	Name  string
	Total int
}

const (
	users  = 500
	orders = 20_000
)

// prefix begins the names of the tables, so that they are in nobody's way.
const prefix = "quickstart_"

// fill creates the tables and puts rows into them.
func fill(db *gorm.DB) error {
	if err := drop(db); err != nil {
		return err
	}
	if err := db.AutoMigrate(&User{}, &Order{}, &Tag{}); err != nil {
		return err
	}
	tags := []Tag{{Name: "new"}, {Name: "regular"}}
	people := make([]User, users)
	for i := range people {
		people[i] = User{Name: fmt.Sprintf("User %d", i+1)}
	}
	bought := make([]Order, orders)
	for i := range bought {
		bought[i] = Order{UserID: 1 + i*7919%users, Cents: 100 + i*104729%9900, Paid: i%5 != 0}
	}
	if err := db.Create(&tags).Error; err != nil {
		return err
	}
	for i := range people[:10] {
		people[i].Tags = tags[i%2 : i%2+1]
	}
	if err := db.CreateInBatches(&people, 250).Error; err != nil {
		return err
	}
	return db.CreateInBatches(&bought, 2000).Error
}

// drop drops the tables.
func drop(db *gorm.DB) error {
	return db.Migrator().DropTable(prefix+"user_tags", &Order{}, &Tag{}, &User{})
}

// report is what a shop asks all the time: who buys most.
func topCustomers(db *gorm.DB) ([]TopCustomer, error) {
	var top []TopCustomer
	err := db.Model(&User{}).
		Select(prefix + "users.name AS name, sum(o.cents) AS total").
		Joins("JOIN " + prefix + "orders o ON o.user_id = " + prefix + "users.id AND o.paid").
		Group(prefix + "users.id, " + prefix + "users.name").Order("total DESC, name").Limit(5).
		Scan(&top).Error
	return top, err
}
