package faults_test

import (
	"database/sql"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

// A way is how a process writes, so that the database has a reason to refuse. "": it has none.
type way string

const (
	// crossing updates two rows that all writers share, in either order: they deadlock.
	crossing way = "crossing"
	// serializable reads what others update at the same time: one of them fails, often at its COMMIT.
	serializable way = "serializable"
	// dangling books on an account that does not exist, every other time: the COMMIT fails, of a constraint that is deferred.
	dangling way = "dangling"
)

// A tally is a row that all writers share.
type tally struct {
	ID int
	N  int
}

// tallies is how many there are.
const tallies = 2

// change makes a transaction's changes: the version, the booking of it, and what the way adds.
func (w way) change(tx *gorm.DB, id int, version int64) error {
	if err := tx.Model(&account{ID: id}).Update("version", version).Error; err != nil {
		return err
	}
	booked := id
	if w == dangling && rand.IntN(2) == 0 {
		booked = rows + 1
	}
	if err := tx.Create(&booking{AccountID: booked, Version: version}).Error; err != nil {
		return err
	}
	switch w {
	case crossing:
		one := 1 + rand.IntN(tallies)
		if err := count(tx, one); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond) // so that they cross
		return count(tx, tallies+1-one)
	case serializable:
		var sum int
		if err := tx.Model(&tally{}).Select("SUM(n)").Scan(&sum).Error; err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
		return tx.Model(&tally{ID: 1 + id%tallies}).Update("n", (sum+1)%1000).Error // the sum of sums doubles
	default:
		return nil
	}
}

func count(tx *gorm.DB, tallied int) error {
	return tx.Model(&tally{ID: tallied}).Update("n", gorm.Expr("n + 1")).Error
}

// options returns those of its transactions.
func (w way) options() *sql.TxOptions {
	if w == serializable {
		return &sql.TxOptions{Isolation: sql.LevelSerializable}
	}
	return nil
}
