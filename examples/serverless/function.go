package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// An Event is what the function is called with.
type Event struct {
	Method string `json:"method"`
	UserID int64  `json:"user_id"`
	Name   string `json:"name"`
}

// A Response is what it answers.
type Response struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

// User is a row.
type User struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// shared is what the calls of one instance have in common. Nothing is opened before the first one.
var shared = newFunction(os.Getenv, cacheConfig)

// handle is what the platform calls. A platform freezes the process as soon as it has returned.
func handle(ctx context.Context, event Event) (Response, error) { return shared.handle(ctx, event) }

// A function is one instance of it.
type function struct {
	// db opens the database when it is called for the first time. An error is kept as well: it can only be one of the
	// configuration, since no server is needed to open it.
	db func() (*gorm.DB, error)
}

func newFunction(getenv func(string) string, configure configure) *function {
	return &function{db: sync.OnceValues(func() (*gorm.DB, error) { return open(getenv, configure) })}
}

func (f *function) handle(ctx context.Context, event Event) (Response, error) {
	db, err := f.db()
	if err != nil {
		return Response{}, err
	}
	db = db.WithContext(ctx)
	switch event.Method {
	case http.MethodGet:
		return get(db, event)
	case http.MethodPut:
		return put(db, event)
	default:
		return Response{StatusCode: http.StatusMethodNotAllowed}, nil
	}
}

// get answers with a user. A header says where it came from.
func get(db *gorm.DB, event Event) (Response, error) {
	var user User
	var info rediscache.Explanation
	err := db.Clauses(rediscache.Explain(&info)).First(&user, event.UserID).Error
	headers := map[string]string{"X-Cache": string(info.Outcome)}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Response{StatusCode: http.StatusNotFound, Headers: headers}, nil
	} else if err != nil {
		return Response{}, err
	}
	body, err := json.Marshal(user)
	return Response{StatusCode: http.StatusOK, Headers: headers, Body: string(body)}, err
}

// put renames a user. When it has returned, no instance answers with the old name.
func put(db *gorm.DB, event Event) (Response, error) {
	result := db.Model(&User{ID: event.UserID}).Update("name", event.Name)
	if result.Error != nil {
		return Response{}, result.Error
	}
	if result.RowsAffected == 0 {
		return Response{StatusCode: http.StatusNotFound}, nil
	}
	return Response{StatusCode: http.StatusNoContent}, nil
}
