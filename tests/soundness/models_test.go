package soundness_test

import (
	"time"

	"gorm.io/gorm"
)

// The models of the process that reads.
type (
	company struct {
		ID    int
		Name  string
		Code  string `gorm:"unique"`
		Users []user
	}
	user struct {
		ID        int64
		TenantID  *int
		Name      string
		Email     *string `gorm:"unique"`
		Score     *int    `gorm:"default:5"`
		CompanyID *int
		Company   *company
		Orders    []order
		Tags      []tag     `gorm:"many2many:user_tags"`
		Comments  []comment `gorm:"polymorphic:Owner"`
		Tickets   []ticket
		Devices   []device
	}
	order struct {
		ID        int64
		UserID    *int64
		User      *user
		Status    *string `gorm:"default:new"`
		Amount    int64
		Doubled   int64 `gorm:"->"`
		Note      *string
		DeletedAt gorm.DeletedAt
		Items     []item
		Comments  []comment `gorm:"polymorphic:Owner"`
	}
	item struct {
		ID      int64
		OrderID *int64
		Order   *order
		Product string
	}
	tag struct {
		ID    int
		Name  string `gorm:"unique"`
		Users []user `gorm:"many2many:user_tags"`
	}
	comment struct {
		ID        int64
		OwnerType *string
		OwnerID   *int64
		Body      string
	}
	category struct {
		ID       int
		ParentID *int
		Parent   *category
		Children []category `gorm:"foreignKey:ParentID"`
		Name     string
	}
	country struct {
		Code   string `gorm:"primaryKey"`
		Name   string
		Cities []city `gorm:"foreignKey:Country;references:Code"`
	}
	city struct {
		ID      int
		Country *string
		Name    string
	}
	account struct {
		Handle  string `gorm:"primaryKey"`
		Balance *string
		Logins  []login `gorm:"foreignKey:Handle;references:Handle"`
	}
	login struct {
		ID     int
		Handle *string `gorm:"default:nobody"`
		N      int
	}
	device struct {
		ID     string `gorm:"primaryKey"`
		UserID *int64
		Mood   *string
		Title  *mood `gorm:"foreignKey:Mood;references:Mood"`
	}
	mood struct {
		Mood  string `gorm:"primaryKey"`
		Title string
	}
	code struct {
		Ref     string   `gorm:"primaryKey"`
		Number  *int64   `gorm:"unique"`
		Parcels []parcel `gorm:"foreignKey:Ref;references:Ref"`
	}
	parcel struct {
		ID     int
		Ref    *string
		Number *int64
	}
	membership struct {
		Club   string `gorm:"primaryKey"`
		No     int    `gorm:"primaryKey;autoIncrement:false"`
		UserID *int64
		Role   *string
		Visits []visit `gorm:"foreignKey:Club,No;references:Club,No"`
	}
	visit struct {
		ID   int
		Club *string
		No   *int
		What string
	}
	alias struct {
		Alias string `gorm:"primaryKey"`
		N     int
		Uses  []use `gorm:"foreignKey:Alias;references:Alias"`
	}
	use struct {
		ID    int
		Alias *string
		What  string
	}
	grade struct {
		Grade string `gorm:"primaryKey;type:numeric"`
		Name  string
		Exams []exam `gorm:"foreignKey:Grade;references:Grade"`
	}
	exam struct {
		ID    int
		Grade *string `gorm:"type:numeric"`
		At    *time.Time
	}
	rate struct {
		At     time.Time `gorm:"primaryKey"`
		Factor float64   `gorm:"primaryKey"`
		Price  int
	}
	reading struct {
		Day    int `gorm:"primaryKey;autoIncrement:false"`
		Sensor int `gorm:"primaryKey;autoIncrement:false"`
		Value  int
	}
	place struct {
		ID     int
		Town   string
		People int
	}
	audit struct {
		ID      int
		OrderID int64
		What    string
	}
	ticket struct {
		ID       int
		UserID   *int64
		Title    string
		Slug     string
		Queue    *string
		Priority int
	}
	queue struct {
		Name string `gorm:"primaryKey"`
		N    int
	}
	job struct {
		ID     int
		Kind   string
		UserID *int64
	}
	stat struct {
		Name string `gorm:"primaryKey"`
		N    int
	}
	freshOrder struct {
		ID     int64
		UserID *int64
		Status string
		Amount int64
	}
)

func (alias) TableName() string      { return "aliases" }
func (freshOrder) TableName() string { return "fresh_orders" }

// The models of another program on the same tables: it knows no association, no unique column, and fewer columns.
type (
	strangeUser struct {
		ID        int64
		TenantID  *int
		Name      string
		Email     *string
		CompanyID *int
	}
	strangeOrder struct {
		ID     int64
		UserID *int64
		Status *string
		Amount int64
	}
	strangeItem struct {
		ID      int64
		OrderID *int64
		Product string
	}
	strangeComment struct {
		ID        int64
		OwnerType *string
		OwnerID   *int64
		Body      string
	}
)

func (strangeUser) TableName() string    { return "users" }
func (strangeOrder) TableName() string   { return "orders" }
func (strangeItem) TableName() string    { return "items" }
func (strangeComment) TableName() string { return "comments" }
