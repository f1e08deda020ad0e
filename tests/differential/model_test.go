package differential_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// The models: every kind of key, of association and of hook.
type (
	person struct {
		ID          uint
		CreatedAt   time.Time
		UpdatedAt   time.Time
		DeletedAt   gorm.DeletedAt
		Name        string
		Email       *string `gorm:"unique"`
		Age         sql.NullInt64
		Home        address        `gorm:"embedded;embeddedPrefix:home_"`
		Prefs       map[string]any `gorm:"serializer:json;type:jsonb"`
		CompanyCode *string
		Company     *company `gorm:"foreignKey:CompanyCode;references:Code"`
		BossID      *uint
		Boss        *person
		Team        []person `gorm:"foreignKey:BossID"`
		Pets        []pet    `gorm:"foreignKey:OwnerID;constraint:OnDelete:CASCADE"`
		Passport    *passport
		Clubs       []club `gorm:"many2many:memberships"`
		Notes       []note `gorm:"polymorphic:Subject"`
	}
	address struct {
		City   string
		Street *string
	}
	company struct {
		Code   string `gorm:"primaryKey;type:varchar(8)"`
		Title  string
		People []person `gorm:"foreignKey:CompanyCode;references:Code"`
	}
	pet struct {
		ID      int64
		OwnerID *uint
		Owner   *person `gorm:"foreignKey:OwnerID"`
		Kind    species `gorm:"type:species"`
		Name    string
		Weight  *float64
		Notes   []*note `gorm:"polymorphic:Subject"`
	}
	passport struct {
		PersonID uint   `gorm:"primaryKey;autoIncrement:false"`
		Number   string `gorm:"uniqueIndex"`
	}
	club struct {
		Country string `gorm:"primaryKey;size:2"`
		No      int    `gorm:"primaryKey;autoIncrement:false"`
		Title   string
		People  []person `gorm:"many2many:memberships"`
	}
	membership struct {
		PersonID    uint   `gorm:"primaryKey;autoIncrement:false"`
		ClubCountry string `gorm:"primaryKey;size:2"`
		ClubNo      int    `gorm:"primaryKey;autoIncrement:false"`
		Since       string `gorm:"default:always"`
	}
	note struct {
		ID          int
		SubjectID   int64
		SubjectType string
		Text        string
	}
	// adult is a view.
	adult struct {
		ID   uint
		Name string
		Pets int64
	}
)

// A slice and a struct with names of their own, as programs have them for a part of a model.
type (
	crowd []person
	label struct {
		ID   uint
		Name string
	}
)

func (adult) TableName() string { return "adults" }

// hooks collects the calls of hooks.
type hooks struct{ calls []string }

type hooksKey struct{}

func called(tx *gorm.DB, format string, args ...any) error {
	if h, ok := tx.Statement.Context.Value(hooksKey{}).(*hooks); ok {
		h.calls = append(h.calls, fmt.Sprintf(format, args...))
	}
	return nil
}

func withHooks(ctx context.Context, h *hooks) context.Context {
	return context.WithValue(ctx, hooksKey{}, h)
}

var errUnwanted = errors.New("unwanted")

func (p *person) BeforeSave(tx *gorm.DB) error   { return called(tx, "BeforeSave person %d", p.ID) }
func (p *person) AfterSave(tx *gorm.DB) error    { return called(tx, "AfterSave person %d", p.ID) }
func (p *person) BeforeUpdate(tx *gorm.DB) error { return called(tx, "BeforeUpdate person %d", p.ID) }

func (p *person) AfterUpdate(tx *gorm.DB) error { return called(tx, "AfterUpdate person %d", p.ID) }

func (p *person) BeforeDelete(tx *gorm.DB) error { return called(tx, "BeforeDelete person %d", p.ID) }

func (p *person) AfterDelete(tx *gorm.DB) error { return called(tx, "AfterDelete person %d", p.ID) }

func (p *person) AfterCreate(tx *gorm.DB) error { return called(tx, "AfterCreate person %d", p.ID) }
func (p *person) AfterFind(tx *gorm.DB) error   { return called(tx, "AfterFind person %d", p.ID) }

// BeforeCreate refuses some.
func (p *person) BeforeCreate(tx *gorm.DB) error {
	_ = called(tx, "BeforeCreate person %s", p.Name)
	if p.Name == "unwanted" {
		return errUnwanted
	}
	return nil
}

// AfterFind changes what was read, and may refuse it.
func (p *pet) AfterFind(tx *gorm.DB) error {
	_ = called(tx, "AfterFind pet %d", p.ID)
	p.Name += "!"
	if p.Name == "cursed!" {
		return errUnwanted
	}
	return nil
}

// BeforeCreate is called for rows that GORM makes for an association, too.
func (m *membership) BeforeCreate(tx *gorm.DB) error {
	return called(tx, "BeforeCreate membership %s %d", m.ClubCountry, m.PersonID)
}

// AfterUpdate reads with the handle that it is given.
func (p *pet) AfterUpdate(tx *gorm.DB) error {
	n := int64(0)
	err := tx.Session(&gorm.Session{NewDB: true}).Model(&pet{}).Count(&n).Error
	_ = called(tx, "AfterUpdate pet %d of %d", p.ID, n)
	return err
}
