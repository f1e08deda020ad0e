package callbacks

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
)

// A Control is what the application asks of the cache for one statement.
type Control struct {
	// Bypass neither reads from the cache nor stores.
	Bypass bool
	// Refresh reads the database and stores the answer.
	Refresh bool
	// ReadOnly stores nothing.
	ReadOnly bool
	// TTL is how long what the statement stores is kept, and how old what it is served may be; 0: as the policy has it.
	TTL time.Duration
	// StaleOK is how old an answer may be that is served although it has been written since; 0: none is.
	StaleOK time.Duration
	// Touches are tables that the statement changes besides those that its text shows.
	Touches []string
	// DependsOn are tables that the answer depends on besides those that its text shows.
	DependsOn []string
	// Explain is told what is done; nil: nobody asks.
	Explain *Explainer
	// Wrong is what cannot be asked for. The statement then fails with it.
	Wrong error
}

// and returns both controls together. Where there can be only one, it is the other's.
func (c Control) and(other Control) Control {
	return Control{
		Bypass: c.Bypass || other.Bypass, Refresh: c.Refresh || other.Refresh, ReadOnly: c.ReadOnly || other.ReadOnly,
		TTL: cmp.Or(other.TTL, c.TTL), StaleOK: cmp.Or(other.StaleOK, c.StaleOK),
		Touches:   append(slices.Clip(c.Touches), other.Touches...),
		DependsOn: append(slices.Clip(c.DependsOn), other.DependsOn...),
		Explain:   cmp.Or(other.Explain, c.Explain),
		Wrong:     cmp.Or(c.Wrong, other.Wrong),
	}
}

// controlKey is the key of a Control among a statement's settings, and in a context.
type controlKey struct{}

// Amend adds to what is asked for a statement. It holds for the preloads and the associations of the statement, too.
func Amend(stmt *gorm.Statement, c Control) {
	if earlier, ok := stmt.Settings.Load(controlKey{}); ok {
		c = earlier.(Control).and(c) //nolint:forcetypeassert // only controls are stored
	}
	stmt.Settings.Store(controlKey{}, c)
}

// WithControl returns a context whose statements are asked for this.
func WithControl(ctx context.Context, c Control) context.Context {
	if earlier, ok := ctx.Value(controlKey{}).(Control); ok {
		c = earlier.and(c)
	}
	return context.WithValue(ctx, controlKey{}, c)
}

// controlOf returns what is asked for a statement.
func controlOf(stmt *gorm.Statement) Control {
	c, _ := stmt.Context.Value(controlKey{}).(Control)
	if own, ok := stmt.Settings.Load(controlKey{}); ok {
		c = c.and(own.(Control)) //nolint:forcetypeassert // only controls are stored
	}
	return c
}
