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
	name := p.at(i).text
	if p.at(i + 1).is(".") {
		return Session // a setting of the application's own, which policies and functions may look at
	}
	if harmlessSetting(name) {
		return Utility
	}
	return Session
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

// configures reports whether the statement calls set_config for a setting that answers may depend on, and for longer than
// its transaction lasts. The arguments are a name, a value, and whether it is for the transaction only (PostgreSQL
// documentation, "Configuration Settings Functions").
func (p *parser) configures() bool {
	for i := range p.tokens {
		if !p.at(i).name() || !p.at(i+1).is("(") || p.function(i) != "set_config" {
			continue
		}
		args := p.arguments(i + 1)
		local := len(args) == 3 && len(args[2]) == 1 && isTrue(args[2][0])
		harmless := len(args) == 3 && len(args[0]) == 1 && isHarmless(args[0][0])
		if !local && !harmless {
			return true
		}
	}
	return false
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

// isHarmless reports whether a token is a literal that names a harmless setting.
func isHarmless(t token) bool { return t.kind == text && harmlessSetting(strings.ToLower(t.text)) }

// isTrue reports whether a token is a literal of a boolean that is true.
func isTrue(t token) bool {
	literals := []string{"true", "t", "yes", "y", "on", "1"}
	return t.in("true") || t.kind == text && slices.Contains(literals, strings.ToLower(t.text))
}
