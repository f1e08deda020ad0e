package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/gorm-rediscache/rediscache/benchmarks/hitrate"
	"github.com/gorm-rediscache/rediscache/benchmarks/migration"
	"github.com/gorm-rediscache/rediscache/benchmarks/outage"
	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/speed"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
	"github.com/gorm-rediscache/rediscache/benchmarks/writecost"
)

// measure measures the parts of a plan, each in a world of its own, and writes the document.
func measure(ctx context.Context, out io.Writer, p plan, wanted []string) error {
	parts := []struct {
		name string
		run  func(context.Context, *world.World) ([]report.Section, error)
	}{
		{"hitrate", func(ctx context.Context, w *world.World) ([]report.Section, error) {
			opt := p.hits
			opt.Size = p.size
			s, err := hitrate.Run(ctx, w, opt)
			return []report.Section{s}, err
		}},
		{"writes", func(ctx context.Context, w *world.World) ([]report.Section, error) {
			growth, err := writecost.Growth(ctx, w, p.cost)
			if err != nil {
				return nil, err
			}
			tags, err := writecost.Tags(ctx, w)
			return []report.Section{growth, tags}, err
		}},
		{"migration", func(ctx context.Context, _ *world.World) ([]report.Section, error) {
			s, err := migration.Run(ctx, p.open)
			return []report.Section{s}, err
		}},
		{"speed", func(ctx context.Context, w *world.World) ([]report.Section, error) {
			opt := p.fast
			opt.Size = p.size
			return speed.Run(ctx, w, opt)
		}},
		{"outage", func(ctx context.Context, w *world.World) ([]report.Section, error) {
			s, err := outage.Run(ctx, w, p.away)
			return []report.Section{s}, err
		}},
	}
	if err := describe(ctx, out, p, wanted); err != nil {
		return err
	}
	for _, part := range parts {
		if !slices.Contains(wanted, part.name) {
			continue
		}
		start := time.Now()
		sections, err := inWorld(ctx, p.size, part.run)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		for _, s := range sections {
			if err := s.Write(out); err != nil {
				return err
			}
		}
		slog.InfoContext(ctx, "measured", "part", part.name, "took", time.Since(start).Round(time.Second))
	}
	return nil
}

// inWorld runs a part on tables that are filled, and removes everything afterwards.
func inWorld(
	ctx context.Context, size shop.Size, part func(context.Context, *world.World) ([]report.Section, error),
) (sections []report.Section, err error) {
	w, err := world.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close(ctx)) }()
	h, err := w.Plain()
	if err != nil {
		return nil, err
	}
	if err := shop.Fill(ctx, h.DB, size); err != nil {
		return nil, err
	}
	return part(ctx, w)
}
