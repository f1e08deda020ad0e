package tests_test

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A matrixMutation is one way to write. All begin with the rows of matrixRows.
type matrixMutation struct {
	name string
	run  func(db *gorm.DB) error
	// nothing is set if the database is afterwards as it was before.
	nothing bool
	// definition is set if it changes the schema.
	definition bool
}

func do(f func(*gorm.DB) *gorm.DB) func(*gorm.DB) error {
	return func(db *gorm.DB) error { return f(db).Error }
}

func statement(text string, args ...any) func(*gorm.DB) error {
	return func(db *gorm.DB) error { return db.Exec(text, args...).Error }
}

func matrixMutations(d *dialect) []matrixMutation {
	ms := append(matrixCreates(), matrixUpdates()...)
	ms = append(ms, matrixDeletes()...)
	ms = append(ms, matrixAssociations()...)
	ms = append(ms, matrixTransactions()...)
	ms = append(ms, matrixStatements(d)...)
	ms = append(ms, d.matrix().statements...)
	return append(ms, matrixDefinitions(d)...)
}

func matrixCreates() []matrixMutation {
	fresh := func() *customer {
		return &customer{Name: "new", Email: "new@x", Age: 33, Address: address{City: "Rome"}}
	}
	return []matrixMutation{
		{name: "Create", run: func(db *gorm.DB) error { return db.Create(fresh()).Error }},
		{name: "Create with a key", run: func(db *gorm.DB) error { c := fresh(); c.ID = 101; return db.Create(c).Error }},
		{name: "Create several", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Create(&[]customer{{Name: "n1", Email: "n1"}, {Name: "n2", Email: "n2"}})
		})},
		{name: "CreateInBatches", run: do(func(db *gorm.DB) *gorm.DB {
			return db.CreateInBatches(&[]purchase{{Cents: 1}, {Cents: 2}, {Cents: 3}}, 2)
		})},
		{name: "Create from a map", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&customer{}).Create(map[string]any{"Name": "map", "Email": "map@x", "Age": 20})
		})},
		{name: "Create from maps", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&purchase{}).Create(&[]map[string]any{{"cents": 1, "customer_id": 1}, {"cents": 2, "paid": true}})
		})},
		{name: "Create with associations", run: func(db *gorm.DB) error {
			c := fresh()
			c.Company, c.Profile = &company{Name: "New"}, &profile{Bio: "new"}
			c.Purchases = []purchase{{Cents: 5, Items: []item{{Name: "new"}}}}
			c.Labels, c.Toys = []label{{Name: "fresh"}, {ID: 1, Name: "vip"}}, []toy{{Name: "new"}}
			return db.Create(c).Error
		}},
		{name: "Create with a string key", run: do(func(db *gorm.DB) *gorm.DB { return db.Create(&setting{"size", "10"}) })},
		{name: "Create with a composite key", run: do(func(db *gorm.DB) *gorm.DB { return db.Create(&seat{"b", 9, "new"}) })},
		{name: "Save a new row", run: func(db *gorm.DB) error { return db.Save(fresh()).Error }},
		{name: "Save an unknown key", run: func(db *gorm.DB) error { c := fresh(); c.ID = 101; return db.Save(c).Error }},
		{name: "FirstOrCreate", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Where(customer{Email: "new@x"}).Attrs(customer{Name: "attr"}).FirstOrCreate(&customer{})
		})},
		{name: "FirstOrCreate, assigned", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Where(customer{Email: "ada@x"}).Assign(customer{Age: 99}).FirstOrCreate(&customer{})
		})},
		{name: "FirstOrInit and Save", run: func(db *gorm.DB) error {
			var l label
			return errors.Join(db.Where(label{Name: "init"}).FirstOrInit(&l).Error, db.Save(&l).Error)
		}},
		{name: "upsert, do nothing", nothing: true, run: do(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&label{ID: 1, Name: "other"})
		})},
		{name: "upsert, update all", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&label{ID: 1, Name: "other"})
		})},
		{name: "upsert on another unique column", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{
				Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"name", "age"}),
			}).Create(&customer{Name: "upserted", Email: "bob@x", Age: 70})
		})},
		{name: "upsert of several with a condition", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{
				Columns: []clause.Column{{Name: "key"}}, DoUpdates: clause.Assignments(map[string]any{"value": "up"}),
				Where: clause.Where{Exprs: []clause.Expression{clause.Neq{Column: "settings.value", Value: "en"}}},
			}).Create(&[]setting{{"theme", "x"}, {"lang", "x"}, {"size", "x"}})
		})},
		{name: "upsert that gives another key", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{
				Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.Assignments(map[string]any{"id": 101}),
			}).Create(&label{Name: "lone"})
		})},
		{name: "generics Create", run: func(db *gorm.DB) error {
			return gorm.G[purchase](db).Create(context.Background(), &purchase{Cents: 7, CustomerID: new(1)})
		}},
	}
}

func matrixUpdates() []matrixMutation {
	one := func(db *gorm.DB) *gorm.DB { return db.Model(&customer{ID: 1}) }
	return []matrixMutation{
		{name: "Save", run: func(db *gorm.DB) error {
			var c customer
			if err := db.First(&c, 1).Error; err != nil {
				return err
			}
			c.Name, c.Prefs = "saved", map[string]string{"b": "2"}
			return db.Save(&c).Error
		}},
		{name: "Save several", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Save(&[]setting{{"theme", "light"}, {"lang", "it"}})
		})},
		{name: "Update", run: do(func(db *gorm.DB) *gorm.DB { return one(db).Update("name", "u") })},
		{name: "Update where", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&customer{}).Where("id = ?", 1).Update("name", "u")
		})},
		{name: "Updates with a struct", run: do(func(db *gorm.DB) *gorm.DB { return one(db).Updates(customer{Name: "u", Age: 31}) })},
		{name: "Updates with a map", run: do(func(db *gorm.DB) *gorm.DB {
			return one(db).Updates(map[string]any{"name": "u", "age": nil})
		})},
		{name: "UpdateColumn", run: do(func(db *gorm.DB) *gorm.DB { return one(db).UpdateColumn("age", 77) })},
		{name: "UpdateColumns", run: do(func(db *gorm.DB) *gorm.DB { return one(db).UpdateColumns(customer{Age: 78, Name: "c"}) })},
		{name: "Update with an expression", run: do(func(db *gorm.DB) *gorm.DB {
			return one(db).Update("age", gorm.Expr("age * ? + ?", 2, 1))
		})},
		{name: "Update with a subquery", run: do(func(db *gorm.DB) *gorm.DB {
			return one(db).Update("name", db.Model(&company{}).Select("name").Where("id = ?", 2))
		})},
		{name: "Update of a serialized column", run: do(func(db *gorm.DB) *gorm.DB {
			return one(db).Updates(customer{Prefs: map[string]string{"z": "9"}})
		})},
		{name: "Update of a string key's row", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&setting{Key: "theme"}).Update("value", "blue")
		})},
		{name: "Update of a composite key's row", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&seat{Hall: "a", No: 2}).Update("name", "u")
		})},
		{name: "Update by condition", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&customer{}).Where("age > ?", 20).Update("name", "bulk")
		})},
		{name: "Update of a foreign key", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&purchase{ID: 1}).Update("customer_id", 3)
		})},
		{name: "Update of everything", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&purchase{}).Update("paid", gorm.Expr("NOT paid"))
		})},
		{name: "Update of a primary key", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&customer{}).Where("id = ?", 2).Update("id", 101)
		})},
		{name: "Update through a view", run: statement("UPDATE adults SET name = ? WHERE id = ?", "viewed", 1)},
		{name: "Update of several keys", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&customer{}).Where("id IN ?", []int{1, 2}).Update("age", 5)
		})},
		{name: "Update with joins", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&purchase{}).Where("customer_id IN (?)", db.Model(&customer{}).Select("id").Where("age > 20")).
				Update("cents", 9)
		})},
		{name: "FindInBatches and Save", run: func(db *gorm.DB) error {
			var batch []customer
			return db.FindInBatches(&batch, 2, func(tx *gorm.DB, _ int) error {
				for i := range batch {
					batch[i].Age += 7
				}
				return tx.Save(&batch).Error
			}).Error
		}},
		{name: "generics Update", run: func(db *gorm.DB) error {
			_, err := gorm.G[customer](db).Where("id = ?", 2).Update(context.Background(), "name", "g")
			return err
		}},
		{name: "restore", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Unscoped().Model(&customer{ID: 5}).Update("deleted_at", nil)
		})},
	}
}

func matrixDeletes() []matrixMutation {
	return []matrixMutation{
		{name: "soft Delete", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&customer{}, 1) })},
		{name: "soft Delete of a model", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&customer{ID: 1}) })},
		{name: "soft Delete by condition", run: do(func(db *gorm.DB) *gorm.DB { return db.Where("age > 20").Delete(&customer{}) })},
		{name: "Unscoped Delete", run: do(func(db *gorm.DB) *gorm.DB { return db.Unscoped().Delete(&customer{}, 1) })},
		{name: "Delete", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&purchase{}, 1) })},
		{name: "Delete of several", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&purchase{}, []int{1, 3}) })},
		{name: "Delete of models", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&[]label{{ID: 1}, {ID: 3}}) })},
		{name: "Delete by condition", run: do(func(db *gorm.DB) *gorm.DB { return db.Where("paid = ?", true).Delete(&purchase{}) })},
		{name: "Delete returning", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Returning{}).Where("cents > ?", 250).Delete(&[]purchase{})
		})},
		{name: "Delete by a string key", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&setting{Key: "theme"}) })},
		{name: "Delete by a composite key", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&seat{Hall: "a", No: 2}) })},
		{name: "Delete that sets null", run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&company{}, 1) })},
		{name: "Delete with associations", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Select("Purchases", "Labels", "Profile").Delete(&customer{ID: 1})
		})},
		{name: "Delete with all associations", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Select(clause.Associations).Delete(&purchase{ID: 1})
		})},
		{name: "generics Delete", run: func(db *gorm.DB) error {
			_, err := gorm.G[item](db).Where("id = ?", 1).Delete(context.Background())
			return err
		}},
		{name: "Delete of nothing", nothing: true, run: do(func(db *gorm.DB) *gorm.DB { return db.Delete(&item{}, 999) })},
	}
}

func matrixAssociations() []matrixMutation {
	of := func(name string, f func(*gorm.Association) error) func(*gorm.DB) error {
		return func(db *gorm.DB) error { return f(db.Model(&customer{ID: 1}).Association(name)) }
	}
	ms := []matrixMutation{
		{name: "Append has many", run: of("Purchases", func(a *gorm.Association) error { return a.Append(&purchase{Cents: 8}) })},
		{name: "Append another's", run: of("Purchases", func(a *gorm.Association) error { return a.Append(&purchase{ID: 3}) })},
		{name: "Append many to many", run: of("Labels", func(a *gorm.Association) error { return a.Append(&label{ID: 3}, &label{Name: "app"}) })},
		{name: "Append has one", run: of("Profile", func(a *gorm.Association) error { return a.Append(&profile{Bio: "app"}) })},
		{name: "Append belongs to", run: of("Company", func(a *gorm.Association) error { return a.Append(&company{ID: 3, Name: "Corp"}) })},
		{name: "Append polymorphic", run: of("Toys", func(a *gorm.Association) error { return a.Append(&toy{Name: "app"}) })},
		{name: "Replace has many", run: of("Purchases", func(a *gorm.Association) error { return a.Replace(&purchase{ID: 2}, &purchase{Cents: 6}) })},
		{name: "Replace many to many", run: of("Labels", func(a *gorm.Association) error { return a.Replace(&label{ID: 3}) })},
		{name: "Delete of has many", run: of("Purchases", func(a *gorm.Association) error { return a.Delete(&purchase{ID: 1}) })},
		{name: "Delete of many to many", run: of("Labels", func(a *gorm.Association) error { return a.Delete(&label{ID: 1}) })},
		{name: "Unscoped Replace", run: of("Toys", func(a *gorm.Association) error { return a.Unscoped().Replace(&toy{Name: "r"}) })},
	}
	for _, name := range []string{"Purchases", "Labels", "Profile", "Company", "Toys", "Reports"} {
		ms = append(ms, matrixMutation{
			name: "Clear " + name, run: of(name, func(a *gorm.Association) error { return a.Clear() }),
		})
	}
	return ms
}

func matrixTransactions() []matrixMutation {
	change := func(tx *gorm.DB) error {
		return errors.Join(
			tx.Model(&customer{ID: 1}).Update("name", "tx").Error, tx.Create(&purchase{CustomerID: new(2), Cents: 4}).Error,
			tx.Create(&label{Name: "tx"}).Error, tx.Delete(&item{}, 1).Error,
		)
	}
	undo := errors.New("undo")
	undone := func(err error) error {
		if errors.Is(err, undo) {
			return nil
		}
		return fmt.Errorf("not undone: %w", err)
	}
	return []matrixMutation{
		{name: "Transaction", run: func(db *gorm.DB) error { return db.Transaction(change) }},
		{name: "Begin and Commit", run: func(db *gorm.DB) error {
			tx := db.Begin()
			return errors.Join(change(tx), tx.Commit().Error)
		}},
		{name: "Transaction, rolled back", nothing: true, run: func(db *gorm.DB) error {
			return undone(db.Transaction(func(tx *gorm.DB) error { return errors.Join(change(tx), undo) }))
		}},
		{name: "Begin and Rollback", nothing: true, run: func(db *gorm.DB) error {
			tx := db.Begin()
			return errors.Join(change(tx), tx.Rollback().Error)
		}},
		{name: "nested, inner rolled back", run: func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(
					tx.Model(&company{ID: 1}).Update("name", "outer").Error,
					undone(tx.Transaction(func(tx *gorm.DB) error { return errors.Join(change(tx), undo) })),
				)
			})
		}},
		{name: "savepoint", run: func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(
					tx.Model(&company{ID: 1}).Update("name", "kept").Error, tx.SavePoint("s").Error, change(tx),
					tx.RollbackTo("s").Error, tx.Model(&company{ID: 2}).Update("name", "after").Error,
				)
			})
		}},
		{name: "Connection", run: func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error { return change(tx.Session(&gorm.Session{NewDB: true})) })
		}},
		{name: "SkipDefaultTransaction", run: func(db *gorm.DB) error {
			return change(db.Session(&gorm.Session{SkipDefaultTransaction: true}))
		}},
		{name: "prepared", run: func(db *gorm.DB) error { return change(db.Session(&gorm.Session{PrepareStmt: true})) }},
		{name: "prepared Transaction", run: func(db *gorm.DB) error {
			return db.Session(&gorm.Session{PrepareStmt: true}).Transaction(change)
		}},
		{name: "DryRun", nothing: true, run: func(db *gorm.DB) error { return change(db.Session(&gorm.Session{DryRun: true})) }},
	}
}
