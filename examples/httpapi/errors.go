package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"gorm.io/gorm"
)

// An httpError is one that the client is told.
type httpError struct {
	status int
	text   string
}

// Error implements error.
func (e *httpError) Error() string { return e.text }

// invalid is the error of a request that makes no sense.
func invalid(format string, args ...any) error {
	return &httpError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// conflict is the error of a request that what is there does not allow.
func conflict(format string, args ...any) error {
	return &httpError{http.StatusConflict, fmt.Sprintf(format, args...)}
}

// explainError returns what the client is told of an error. What went wrong inside is nothing to tell.
func explainError(err error) (status int, text string) {
	var own *httpError
	switch {
	case errors.As(err, &own):
		return own.status, own.text
	case errors.Is(err, gorm.ErrRecordNotFound):
		return http.StatusNotFound, "there is none"
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return http.StatusConflict, "there is one already"
	case errors.Is(err, gorm.ErrForeignKeyViolated):
		return http.StatusConflict, "something else refers to it"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, "it took too long"
	default:
		return http.StatusInternalServerError, "internal error"
	}
}
