package ttlconfig

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	// maxTagColumns is the greatest number of TagColumns: each is one tag more for every row that a write touches.
	maxTagColumns = 8
	// maxJitter leaves of a time to live what one would expect of it.
	maxJitter = 0.5
)

// Validate returns everything that is wrong with the policy: values that no field may have, and fields that contradict each
// other. Each message names the fields, and says what to do.
func (p Policy) Validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		d    time.Duration
	}{
		{"TTL", p.TTL}, {"RowTTL", p.RowTTL}, {"ListTTL", p.ListTTL}, {"CountTTL", p.CountTTL}, {"AbsentTTL", p.AbsentTTL},
	} {
		if err := ValidTTL(f.d); f.d != 0 && f.d != Off && err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	if bad := p.Jitter != 0 && p.Jitter != NoJitter; bad && (p.Jitter < 0 || p.Jitter > maxJitter || math.IsNaN(p.Jitter)) {
		//nolint:staticcheck // begins with a name
		errs = append(errs, fmt.Errorf("Jitter: want a share of %v at most, or NoJitter, got %v", maxJitter, p.Jitter))
	}
	if len(p.TagColumns) > maxTagColumns {
		errs = append(errs, fmt.Errorf("TagColumns: want %d at most, got %d", maxTagColumns, len(p.TagColumns)))
	}
	for i, columns := range p.Scopes() {
		if slices.Contains(columns, "") || len(slices.Compact(columns)) < strings.Count(p.TagColumns[i], "+")+1 {
			errs = append(errs, fmt.Errorf("TagColumns[%d]: want names of columns joined by +, got %q", i, p.TagColumns[i]))
		}
	}
	if len(errs) == 0 {
		errs = p.contradictions()
	}
	return errors.Join(errs...)
}

// ValidateWith is Validate for a policy that takes what it leaves open from another one, which it may contradict, too.
func (p Policy) ValidateWith(fallback Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return p.WithDefaults(fallback.WithDefaults(Default())).absence()
}

// ValidTTL returns what is wrong with a time to live, which is not [Off].
func ValidTTL(d time.Duration) error {
	switch {
	case d == Off:
		return errors.New("want a positive duration, got Off")
	case d <= 0:
		return fmt.Errorf("want a positive duration, got %v", d)
	case d < MinTTL:
		return fmt.Errorf("want a millisecond at least, got %v", d)
	case d > MaxTTL:
		return fmt.Errorf("want %v at most, got %v", MaxTTL, d)
	default:
		return nil
	}
}

// contradictions returns what two fields say that cannot both be meant.
func (p Policy) contradictions() []error {
	var errs []error
	if err := p.absence(); err != nil {
		errs = append(errs, err)
	}
	if p.Jitter != 0 && p.Off() {
		//nolint:staticcheck // begins with a name
		errs = append(errs, errors.New("Jitter: nothing is kept (TTL is Off), so that there is no time to take it off: leave "+
			"Jitter out, or give TTL a duration"))
	}
	lists, _ := p.effective(p.ListTTL, "ListTTL")
	counts, _ := p.effective(p.CountTTL, "CountTTL")
	if len(p.TagColumns) > 0 && lists == Off && counts == Off {
		errs = append(errs, errors.New("TagColumns: no list and no count is kept (TTL, or ListTTL and CountTTL, are Off), so "+
			"that finer tags only make writes dearer: leave TagColumns out, or give ListTTL or CountTTL a duration"))
	}
	return errs
}

// absence returns what AbsentTTL contradicts.
func (p Policy) absence() error {
	rows, name := p.effective(p.RowTTL, "RowTTL")
	switch {
	case p.AbsentTTL <= 0 || rows == 0:
		return nil
	case rows == Off:
		return fmt.Errorf("AbsentTTL: %s is Off, and an absent row is kept as a row is: leave AbsentTTL out, or keep rows "+
			"(RowTTL)", name)
	case p.AbsentTTL > rows:
		return fmt.Errorf("AbsentTTL: %v is longer than %s, %v, though nobody announces a row that another program adds: "+
			"make AbsentTTL %[3]v at most, or %[2]s longer", p.AbsentTTL, name, rows)
	default:
		return nil
	}
}

// effective returns the time to live of a kind, 0 if the policy leaves it open, and the field that says so.
func (p Policy) effective(own time.Duration, field string) (time.Duration, string) {
	if own == 0 {
		return p.TTL, "TTL"
	}
	return own, field
}
