package rediscache

import (
	"errors"

	"github.com/gorm-rediscache/rediscache/callbacks"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
)

// ErrConfig is wrapped by the error of gorm.DB.Use for a [Config] that cannot work. The error names every field that
// is wrong.
var ErrConfig = errors.New("rediscache: invalid configuration")

// ErrUnannounced is wrapped by the error of a write that was refused, under [FailWrite], because Redis could not be
// told of it before its commit. Nothing was written.
var ErrUnannounced = consistency.ErrUnannounced

// ErrUnknownDatabase is returned by [Invalidate] if the database could not be asked what it is.
var ErrUnknownDatabase = callbacks.ErrUnknown

// ErrColumn is returned by [Invalidate] for a [Scope] of a column that the model does not have.
var ErrColumn = callbacks.ErrColumn

// ErrNotUsed is returned by [Invalidate] for a handle that does not use the plugin.
var ErrNotUsed = errors.New("rediscache: the handle does not use the plugin")

// ErrClosed is returned by gorm.DB.Use for a plugin that was closed.
var ErrClosed = errors.New("rediscache: closed")
