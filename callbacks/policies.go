package callbacks

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"

	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// policies says what is kept of each table, and for how long: as Config.Models has it, else the model itself, else
// Config.Policy. It is guarded by the lock of the models, but for what is read while plans are made.
type policies struct {
	fallback ttlconfig.Policy
	// configured and own are by table: of Config.Models, and of models that have one of their own.
	configured, own map[string]stated
	asked           map[*schema.Schema]bool
	tables          atomic.Pointer[ttlconfig.Tables]
}

// stated is a policy, and the model that it was stated for.
type stated struct {
	policy ttlconfig.Policy
	model  string
}

func newPolicies(fallback ttlconfig.Policy) *policies {
	p := &policies{
		fallback: fallback, configured: map[string]stated{}, own: map[string]stated{}, asked: map[*schema.Schema]bool{},
	}
	p.settle()
	return p
}

// of returns the policy of an answer that depends on some tables.
func (p *policies) of(tables []string) ttlconfig.Policy { return p.tables.Load().For(tables) }

// settle puts together what has been stated.
func (p *policies) settle() {
	bare := func(all map[string]stated) map[string]ttlconfig.Policy {
		policies := make(map[string]ttlconfig.Policy, len(all))
		for table, s := range all {
			policies[table] = s.policy
		}
		return policies
	}
	p.tables.Store(ttlconfig.NewTables(p.fallback, bare(p.configured), bare(p.own)))
}

var errTwoPolicies = errors.New("are of one table, and their policies differ: give both the same one, or one of them none")

// configure takes a policy of Config.Models.
func (p *policies) configure(table string, s stated) error {
	if before, ok := p.configured[table]; ok && before.model != s.model && !before.policy.Same(s.policy) {
		return fmt.Errorf("%s and %s %w (table %q)", before.model, s.model, errTwoPolicies, table)
	}
	p.configured[table] = s
	p.settle()
	return nil
}

// ask asks a model for its policy, once. What cannot be used is an error; the model is then as if it had none. Of two models
// of one table that do not agree, the stricter of their policies counts.
func (p *policies) ask(s *schema.Schema) (policy ttlconfig.Policy, found bool, err error) {
	if p.asked[s] {
		return policy, false, nil
	}
	p.asked[s] = true
	carrier, ok := reflect.TypeAssert[ttlconfig.Carrier](reflect.New(s.ModelType))
	if !ok {
		return policy, false, nil
	}
	name, table := s.ModelType.String(), bare(s.Table)
	if policy, err = carried(carrier); err == nil {
		err = policy.ValidateWith(p.fallback)
	}
	if err != nil {
		return policy, false, fmt.Errorf("CachePolicy of %s: %w", name, err)
	}
	now := stated{policy, name}
	if before, twice := p.own[table]; twice && !before.policy.Same(policy) {
		fallback := p.fallback.WithDefaults(ttlconfig.Default())
		now.policy = before.policy.WithDefaults(fallback).Stricter(policy.WithDefaults(fallback))
		if _, decided := p.configured[table]; !decided && before.model != name {
			err = fmt.Errorf("CachePolicy of %s and %s: they %w (table %q)", before.model, name, errTwoPolicies, table)
		}
	}
	p.own[table] = now
	p.settle()
	return policy, true, err
}

// never keeps a table from being cached, whatever its models say.
func (p *policies) never(table, model string) {
	p.own[table] = stated{ttlconfig.Never, model}
	p.settle()
}

// carried returns a model's policy. A model that panics is not to take the application down.
func carried(c ttlconfig.Carrier) (p ttlconfig.Policy, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return c.CachePolicy(), nil
}
