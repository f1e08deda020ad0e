package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/store"
)

// Declare implements [store.Store].
func (s *Store) Declare(ctx context.Context, d store.Declaration) (store.Value, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Value{}, fmt.Errorf("memstore: declare: %w", err)
	}
	defer unlock()
	token, found := s.get(d.Tag.Token())
	if token != store.Writing {
		names := store.Names(token)
		known := len(names)
		for _, name := range d.Names {
			if len(names) < d.Max && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if !found || len(token) < store.TokenSize || len(names) > known {
			// Another token: who knows the old one knows the old names.
			token = s.newToken(d.Token) + strings.Join(names, "\n")
			s.set(d.Tag.Token(), token, d.TTL)
		}
	}
	return store.Value{Data: token, Found: true, History: s.history}, nil
}
