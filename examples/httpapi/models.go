package main

import (
	"net/mail"
	"time"
)

// User is a customer.
type User struct {
	ID int64 `json:"id"`
	UserFields
	Orders []Order `json:"-" gorm:"constraint:OnDelete:CASCADE"`
}

// UserFields are what a client says of a user.
type UserFields struct {
	Name  string `json:"name" gorm:"not null"`
	Email string `json:"email" gorm:"not null;uniqueIndex"`
}

func (f UserFields) validate() error {
	if f.Name == "" || len(f.Name) > 200 {
		return invalid("name: want 1 to 200 bytes")
	}
	if a, err := mail.ParseAddress(f.Email); err != nil || a.Address != f.Email {
		return invalid("email: want an address, such as ada@example.com")
	}
	return nil
}

// Product is what there is to buy.
type Product struct {
	ID int64 `json:"id"`
	ProductFields
}

// ProductFields are what a client says of a product.
type ProductFields struct {
	Name  string `json:"name" gorm:"not null"`
	Cents int64  `json:"cents" gorm:"not null"`
	Stock int64  `json:"stock" gorm:"not null;check:stock >= 0"`
}

func (f ProductFields) validate() error {
	switch {
	case f.Name == "" || len(f.Name) > 200:
		return invalid("name: want 1 to 200 bytes")
	case f.Cents < 0:
		return invalid("cents: want 0 or more")
	case f.Stock < 0:
		return invalid("stock: want 0 or more")
	}
	return nil
}

// Order is what a customer has bought.
type Order struct {
	ID        int64     `json:"id"`
	UserID    int64     `json:"user_id" gorm:"not null;index"`
	Status    Status    `json:"status" gorm:"not null"`
	CreatedAt time.Time `json:"created_at"`
	Items     []Item    `json:"items,omitempty" gorm:"constraint:OnDelete:CASCADE"`
}

// A Status is what has become of an order.
type Status string

// An order is open until it is paid or canceled.
const (
	Open     Status = "open"
	Paid     Status = "paid"
	Canceled Status = "canceled"
)

// Item is a line of an order. The price is that of the moment when it was ordered.
type Item struct {
	OrderID   int64    `json:"-" gorm:"primaryKey;autoIncrement:false"`
	ProductID int64    `json:"product_id" gorm:"primaryKey;autoIncrement:false"`
	Product   *Product `json:"-" gorm:"constraint:OnDelete:RESTRICT"`
	Quantity  int64    `json:"quantity" gorm:"not null"`
	Cents     int64    `json:"cents" gorm:"not null"`
}
