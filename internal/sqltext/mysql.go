package sqltext

// What only MySQL and MariaDB write, and databases that are not known may.

// modifiers skips words between a verb and its table.
func (p *parser) modifiers(j int) int {
	for p.dialect == MySQL && p.at(j).in("low_priority", "ignore") && p.at(j+1).name() && !p.at(j+1).in("set", "as") {
		j++
	}
	return j
}

// several adds the other tables that a change with the table's name at j may change: UPDATE a JOIN b SET …. If it may
// be any, the change is lost.
func (p *parser) several(verb string, j int) {
	next := p.at(j + 1)
	switch verb {
	case "update":
		p.updated(j + 1)
	case "delete":
		// The names before USING may be aliases of tables behind it.
		if next.is(",") || next.is(".") || p.find(j, "using") < len(p.tokens) {
			p.lost(j)
		}
	}
	if p.dialect == Standard && p.find(0, "output") < len(p.tokens) { // OUTPUT … INTO another table
		p.lost(j)
	}
}

// updated adds the tables between the first one of an UPDATE and SET.
func (p *parser) updated(i int) {
	depth := p.at(i - 1).depth
	for ; i < len(p.tokens); i++ {
		if p.at(i).is("set") && p.at(i).depth == depth {
			return
		}
		if p.at(i).depth != depth || !p.at(i).is(",") && !p.at(i).in("join", "straight_join") {
			continue
		}
		if !p.at(i + 1).name() {
			p.lost(i)
			return
		}
		r, _ := p.relation(i + 1)
		p.out.Changes = append(p.out.Changes, Write{Op: Update, Table: r, AnyColumn: true})
	}
}

// mysqlClass tells what a statement may do whose first words mean something else to MySQL than to others.
func (p *parser) mysqlClass(first, second token) (Class, bool) {
	switch first.text {
	case "begin", "start", "lock", "unlock": // end a transaction that is under way; BEGIN NOT ATOMIC begins a body
		if first.is("begin") && second != (token{kind: punct}) && !second.is("work") {
			return Unknown, true
		}
		return Commit, true
	case "analyze": // ANALYZE UPDATE … carries the statement out
		if second.in("table", "tables", "local", "no_write_to_binlog") {
			return Commit, true
		}
		return Unknown, true
	case "desc", "describe":
		return Utility, true
	case "use":
		return Session, true
	case "set":
		return p.mysqlSetting(), true
	default:
		return Unknown, false // says the table of all dialects
	}
}

// mysqlSetting tells whether SET changes what later statements see. A variable of the user's own does so for those that
// name it, and they are not cached.
func (p *parser) mysqlSetting() Class {
	i := 1
	for p.at(i).in("session", "local") {
		i++
	}
	several := false
	for _, t := range p.tokens {
		several = several || t.is(",") && t.depth == 0
	}
	switch t := p.at(i); {
	case t.is("statement"): // SET STATEMENT … FOR another one
		return Unknown
	case several:
		return Session
	case t.is("@") && !p.at(i+1).is("@"), harmlessToMySQL(t.text):
		return Utility
	default:
		return Session
	}
}

func harmlessToMySQL(name string) bool {
	switch name {
	case "foreign_key_checks", "unique_checks", "wait_timeout", "lock_wait_timeout", "innodb_lock_wait_timeout",
		"max_execution_time", "max_statement_time", "net_read_timeout", "net_write_timeout", "interactive_timeout",
		"long_query_time", "profiling":
		return true
	default:
		return false
	}
}

// Commits reports whether MySQL makes permanent what was done before, as it does for whatever it cannot undo.
func (s *Statement) Commits(d Dialect) bool {
	if s.Class == Commit {
		return true
	}
	if d != MySQL {
		return false
	}
	switch s.Class {
	case Unknown:
		return true
	case Definition:
		return !s.Temporary
	case Session:
		return s.Autocommit
	case Change:
		return s.Changes[0].Op == Truncate
	default:
		return false
	}
}
