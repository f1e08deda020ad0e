package sqltext

import (
	"slices"
	"strings"
)

// What changes a setting of the session.

// setting tells whether SET changes what later statements see.
func (p *parser) setting() Class {
	i := 1
	for p.at(i).in("session") {
		i++
	}
	if p.at(i).in("local", "transaction", "constraints", "characteristics") {
		return Utility
	}
	name := p.settingAt(i)
	if harmlessSetting(name) {
		return Utility
	}
	p.out.Settings = []string{name}
	return Session
}

// AnySetting stands for a setting that may be any.
const AnySetting = "*"

// settingAt returns the name of the setting that stands at i (PostgreSQL documentation, "SET": some have names of
// several words).
func (p *parser) settingAt(i int) string {
	switch t := p.at(i); {
	case p.at(i + 1).is("."): // of an extension's or the application's own, which policies and functions may look at
		return AnySetting
	case t.is("time") && p.at(i+1).is("zone"):
		return "timezone"
	case t.is("schema"):
		return "search_path"
	case t.in("authorization", "session"):
		return "session_authorization"
	case !t.name(), t.in("all", "plans", "sequences", "temp", "temporary"):
		return AnySetting
	default:
		return strings.ToLower(t.text)
	}
}

// harmlessSetting lists settings that change how long a statement takes, or what is logged, but no answer.
func harmlessSetting(name string) bool {
	switch name {
	case "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
		"transaction_timeout", "application_name", "client_min_messages", "log_statement", "log_min_messages",
		"log_min_duration_statement", "work_mem", "maintenance_work_mem", "temp_buffers", "effective_cache_size",
		"synchronous_commit", "jit", "random_page_cost", "seq_page_cost", "cpu_tuple_cost", "deadlock_timeout",
		"max_parallel_workers_per_gather", "enable_seqscan", "enable_indexscan", "enable_bitmapscan", "enable_hashjoin",
		"enable_mergejoin", "enable_nestloop", "enable_sort", "enable_hashagg", "commit_delay", "tcp_keepalives_idle":
		return true
	default:
		return false
	}
}

// configures returns the settings that answers may depend on for which the statement calls set_config, for longer than its
// transaction lasts. The arguments are a name, a value, and whether it is for the transaction only (PostgreSQL
// documentation, "Configuration Settings Functions").
func (p *parser) configures() (settings []string) {
	for i := range p.tokens {
		if !p.at(i).name() || !p.at(i+1).is("(") || p.function(i) != "set_config" {
			continue
		}
		args := p.arguments(i + 1)
		local := len(args) == 3 && len(args[2]) == 1 && isTrue(args[2][0])
		name := AnySetting
		if len(args) == 3 && len(args[0]) == 1 && args[0][0].kind == text && !strings.Contains(args[0][0].text, ".") {
			name = strings.ToLower(args[0][0].text)
		}
		if !local && !harmlessSetting(name) {
			settings = append(settings, name)
		}
	}
	return settings
}

// arguments returns what stands between the commas inside of the parenthesis at i.
func (p *parser) arguments(i int) (args [][]token) {
	depth, from := p.at(i).depth, i+1
	for j := from; j < len(p.tokens); j++ {
		switch ends := p.at(j).depth <= depth; {
		case ends, p.at(j).depth == depth+1 && p.at(j).is(","):
			args = append(args, p.tokens[from:j])
			from = j + 1
			if ends {
				return args
			}
		}
	}
	return args
}

// isTrue reports whether a token is a literal of a boolean that is true.
func isTrue(t token) bool {
	literals := []string{"true", "t", "yes", "y", "on", "1"}
	return t.in("true") || t.kind == text && slices.Contains(literals, strings.ToLower(t.text))
}
