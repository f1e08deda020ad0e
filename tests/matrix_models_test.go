package tests_test

import (
	"gorm.io/gorm"
)

// The models of the matrix: every kind of association, of key and of column that a write may reach.
type (
	company struct {
		ID   int
		Name string
	}
	customer struct {
		ID        int
		Name      string
		Email     string `gorm:"unique"`
		Age       int
		CompanyID *int
		Company   *company
		ManagerID *int
		Manager   *customer
		Reports   []customer `gorm:"foreignKey:ManagerID"`
		Profile   *profile
		Purchases []purchase
		Labels    []label           `gorm:"many2many:customer_labels"`
		Toys      []toy             `gorm:"polymorphic:Owner"`
		Address   address           `gorm:"embedded;embeddedPrefix:addr_"`
		Prefs     map[string]string `gorm:"serializer:json"`
		DeletedAt gorm.DeletedAt
	}
	address struct {
		City, Street string
	}
	profile struct {
		ID         int
		CustomerID *int
		Bio        string
	}
	purchase struct {
		ID         int
		CustomerID *int
		Cents      int
		Paid       bool
		Items      []item
	}
	item struct {
		ID         int
		PurchaseID *int
		Name       string
	}
	label struct {
		ID   int
		Name string `gorm:"unique"`
	}
	toy struct {
		ID        int
		Name      string
		OwnerID   *int
		OwnerType string
	}
	setting struct {
		Key   string `gorm:"primaryKey"`
		Value string
	}
	weird struct {
		ID   int
		Text string `gorm:"column:Some Text"`
	}
)

func (weird) TableName() string { return "weird" }

// matrixSchema is made without GORM: foreign keys with actions, views and names that need quotes are known from the
// database's catalog alone. A dialect says what the words in braces are.
const matrixSchema = `
CREATE TABLE companies (id {serial}, name {text});
CREATE TABLE customers (
  id {serial}, name {text}, email {text} UNIQUE, age int, company_id int, manager_id int, addr_city {text}, addr_street {text},
  prefs {text}, deleted_at {time},
  FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE SET NULL,
  FOREIGN KEY (manager_id) REFERENCES customers (id) ON DELETE SET NULL);
CREATE TABLE profiles (
  id {serial}, customer_id int, bio {text},
  FOREIGN KEY (customer_id) REFERENCES customers (id) ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE purchases (
  id {serial}, customer_id int, cents int, paid bool,
  FOREIGN KEY (customer_id) REFERENCES customers (id) ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE items (
  id {serial}, purchase_id int, name {text}, FOREIGN KEY (purchase_id) REFERENCES purchases (id) ON DELETE CASCADE);
CREATE TABLE labels (id {serial}, name {text} UNIQUE);
CREATE TABLE customer_labels (
  customer_id int, label_id int, PRIMARY KEY (customer_id, label_id),
  FOREIGN KEY (customer_id) REFERENCES customers (id) ON UPDATE CASCADE ON DELETE CASCADE,
  FOREIGN KEY (label_id) REFERENCES labels (id) ON DELETE CASCADE);
CREATE TABLE toys (id {serial}, name {text}, owner_id int, owner_type {text});
CREATE TABLE seats (hall {text}, no bigint, name {text}, PRIMARY KEY (hall, no));
CREATE TABLE settings ({key} {text} PRIMARY KEY, value {text});
CREATE TABLE weird (id {serial}, {some text} {text});
CREATE TABLE {odd} (id int PRIMARY KEY, {value} {text});
CREATE TABLE counters (name {text} PRIMARY KEY, n int);
CREATE VIEW debtors AS SELECT c.id, c.name, p.cents FROM customers c JOIN purchases p ON p.customer_id = c.id WHERE NOT p.paid;
CREATE VIEW adults AS SELECT id, name, age FROM customers WHERE age >= 18;
`

// matrixRows makes the tables hold what every cell of the matrix begins with. New rows get keys from 101 on.
const matrixRows = `
DELETE FROM items; DELETE FROM purchases; DELETE FROM profiles; DELETE FROM customer_labels; DELETE FROM labels;
DELETE FROM toys; DELETE FROM customers; DELETE FROM companies; DELETE FROM seats; DELETE FROM settings; DELETE FROM weird;
DELETE FROM {odd}; DELETE FROM counters;
INSERT INTO companies VALUES (1, 'Acme'), (2, 'Bolt'), (3, 'Corp');
INSERT INTO customers VALUES
  (1, 'ada', 'ada@x', 30, 1, NULL, 'Rome', 'a st', '{"a":"1"}', NULL), (2, 'bob', 'bob@x', 17, 1, 1, 'Oslo', 'b st', '{}', NULL),
  (3, 'cyd', 'cyd@x', 40, 2, 1, 'Rome', 'c st', 'null', NULL), (4, 'dan', 'dan@x', 50, NULL, 3, 'Bonn', 'd st', '{}', NULL),
  (5, 'eve', 'eve@x', 60, 3, NULL, 'Bonn', 'e st', '{}', '2024-01-01 00:00:00');
INSERT INTO profiles VALUES (1, 1, 'bio 1'), (2, 2, 'bio 2'), (3, 3, 'bio 3');
INSERT INTO purchases VALUES (1, 1, 100, true), (2, 1, 200, false), (3, 2, 300, false), (4, 3, 400, true);
INSERT INTO items VALUES (1, 1, 'pen'), (2, 1, 'ink'), (3, 2, 'cup'), (4, 4, 'hat');
INSERT INTO labels VALUES (1, 'vip'), (2, 'new'), (3, 'old'), (4, 'lone');
INSERT INTO customer_labels VALUES (1, 1), (1, 2), (2, 2), (3, 3);
INSERT INTO counters VALUES ('toys', 0);
INSERT INTO toys VALUES (1, 'car', 1, 'customers'), (2, 'kite', 2, 'customers'), (3, 'ball', 1, 'others');
UPDATE counters SET n = 0;
INSERT INTO seats VALUES ('a', 1, 's1'), ('a', 2, 's2'), ('b', 1, 's3');
INSERT INTO settings VALUES ('theme', 'dark'), ('lang', 'en');
INSERT INTO weird VALUES (1, 'w1'), (2, 'w2');
INSERT INTO {odd} VALUES (1, 'o1'), (2, 'o2');
`
