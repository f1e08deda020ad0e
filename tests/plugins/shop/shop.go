// Package shop has the models that gorm.io/gen generates queries for.
package shop

import "gorm.io/gen"

//go:generate go run ./generate

// An Owner has pets.
type Owner struct {
	ID   int64 `gorm:"primaryKey;autoIncrement:false"`
	Name string
	Pets []Pet
}

// A Pet has an owner.
type Pet struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	OwnerID int64
	Owner   *Owner
	Name    string
	Age     int32
}

// Pets are queries and changes as SQL, which gen makes methods of.
type Pets interface {
	// Named returns the pets of a name.
	//
	// SELECT * FROM @@table WHERE name = @name ORDER BY id
	Named(name string) ([]*gen.T, error)
	// Eldest returns the greatest age.
	//
	// SELECT max(age) FROM @@table
	Eldest() (int32, error)
	// Grow makes all pets of an owner older.
	//
	// UPDATE @@table SET age = age + @years WHERE owner_id = @owner
	Grow(owner int64, years int) (gen.RowsAffected, error)
}
