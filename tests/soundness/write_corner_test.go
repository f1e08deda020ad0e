package soundness_test

// corners are writes that reach other tables than the one that they name, or rows by another spelling than theirs.
func corners() []writeKind {
	return []writeKind{
		{"write through a view", "view", 3, func(g *gen, _ bool) write {
			id := g.userID()
			return pick(g, exec("UPDATE fresh_orders SET amount = amount + 5 WHERE user_id = ?", id), exec("UPDATE fresh_orders SET user_id = ? WHERE id = ?", id%6+1, g.orderID()), exec("DELETE FROM fresh_orders WHERE user_id = ?", id),
				exec("INSERT INTO fresh_orders (user_id, status, amount) VALUES (?, 'new', 1)", id%6+1), exec("UPDATE swapped SET amount = ? WHERE id = ?", id%6+1, g.orderID()), exec("DELETE FROM swapped WHERE user_id = ?", g.IntN(6)*10))
		}},
		{"write to a partition or an heir", "partition", 5, func(g *gen, _ bool) write {
			d, s := g.IntN(5)*6+1, g.IntN(4)+1
			return pick(g, exec("UPDATE readings SET value = value + 1 WHERE day = ? AND sensor = ?", d, s), exec("UPDATE readings SET value = value + 2"), exec("UPDATE places SET people = people + 2"), exec("UPDATE readings SET value = value + 3 WHERE sensor = ?", s), exec("UPDATE readings_a SET value = value + 1"), exec("UPDATE readings_b SET sensor = sensor + 10 WHERE sensor = ?", s),
				exec("UPDATE readings SET day = 15 WHERE day = 1 AND sensor = ?", s), exec("DELETE FROM readings WHERE sensor = ?", s), exec("INSERT INTO readings_b VALUES (?, ?, 1)", g.IntN(10)+10, s), exec("DELETE FROM readings_rest WHERE sensor = ?", s),
				exec("INSERT INTO readings VALUES (?, ?, 1)", g.IntN(25), s), exec("UPDATE places SET people = people + 1 WHERE town = 'Bonn'"), exec("UPDATE capitals SET town = 'Bonn' WHERE state = 'SH'"), exec("DELETE FROM capitals WHERE state = 'NW'"),
				exec("UPDATE places SET id = id + 1 WHERE id = ?", s), exec("INSERT INTO capitals (id, town, people) VALUES (?, 'Bonn', 2)", s))
		}},
		{"write that fires a trigger", "trigger", 4, func(g *gen, _ bool) write {
			id := g.ticketID()
			return pick(g, exec("UPDATE tickets SET title = 'mine' WHERE id = ?", id), exec("UPDATE tickets SET priority = 9, queue = 'low' WHERE id = ?", id), exec("INSERT INTO tickets (title, user_id, queue) VALUES ('later', 2, 'mid')"),
				exec("DELETE FROM tickets WHERE id = ?", id), touching("UPDATE jobs SET kind = ? WHERE id = ?", pick(g, "mail", "sync"), g.IntN(3)), touching("INSERT INTO jobs (kind) VALUES ('sync')"), touching("DELETE FROM jobs WHERE kind = 'mail'"),
				exec("UPDATE orders SET note = 'audited' WHERE id = ?", g.orderID()), exec("DELETE FROM orders WHERE id = ?", g.orderID()), exec("UPDATE tickets SET user_id = ? WHERE title <> 'mine'", g.userID()%6+1))
		}},
		{"ON UPDATE CASCADE", "cascade", 5, func(g *gen, _ bool) write {
			return pick(g, exec("UPDATE users SET id = ? WHERE id = ?", g.IntN(5)+7, g.IntN(6)+1), exec("UPDATE orders SET id = ? WHERE id = ?", g.IntN(9)+19, g.IntN(18)+1), exec("UPDATE countries SET code = ? WHERE code = ?", pick(g, "at", "DE"), pick(g, "de", "FR")),
				exec("UPDATE accounts SET handle = ? WHERE handle = ?", pick(g, "eve", "BEN"), pick(g, "ann", "ben")), exec("UPDATE codes SET ref = ? WHERE ref = ?", pick(g, "0007", "ABC"), pick(g, "007", "abc")), exec("UPDATE memberships SET no = no + 3 WHERE club = ?", pick(g, "chess", "go")),
				exec("UPDATE aliases SET alias = ? WHERE alias = ?", pick(g, "ANN", "Eve"), pick(g, "ann", "BEN")), exec("UPDATE companies SET id = id + 3 WHERE id = ?", g.companyID()))
		}},
		{"function that writes", "trigger", 2, func(g *gen, _ bool) write {
			return returned("SELECT move_orders(?, ?)", g.userID()%6+1, g.userID()%6+1)
		}},
		{"write to a row by another spelling of its key", "odd key", 4, func(g *gen, _ bool) write {
			return pick(g, exec("UPDATE accounts SET balance = balance + 1 WHERE handle = ?", pick(g, "ANN", "ann", "Ann")), exec("UPDATE aliases SET n = n + 1 WHERE alias = ?", pick(g, "ANN", "ann", "ben", "BEN")),
				exec("UPDATE countries SET name = name || '!' WHERE code = ?", pick(g, "de", "de ", "it")), exec("UPDATE devices SET user_id = ? WHERE id = ?", g.userID(), pick(g, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A12")))
		}},
		{"write to a row by an odd key", "odd key", 5, func(g *gen, _ bool) write {
			return pick(g, exec("UPDATE accounts SET balance = 9 WHERE handle = ?", pick(g, "ANN", "ben", "cAt")), exec("UPDATE countries SET name = 'Changed' WHERE code = ?", pick(g, "de ", "FR", "it")), exec("DELETE FROM accounts WHERE handle = 'CAT'"),
				exec("UPDATE aliases SET n = 8 WHERE alias = ?", pick(g, "ANN", "éva", "BEN")), exec("UPDATE grades SET name = 'g' WHERE grade = ?", pick(g, "1.0", "2.50", "NaN")), exec("UPDATE codes SET number = ? WHERE ref = ?", g.IntN(9)+100, pick(g, "007", "7", " 7", "", "Abc")),
				exec("UPDATE devices SET user_id = ?, mood = 'sad' WHERE id = ?", g.userID(), pick(g, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a12}")), exec("UPDATE moods SET title = 'M' WHERE mood = ?", pick(g, "calm", "wild")),
				exec("UPDATE memberships SET role = 'r', user_id = ? WHERE club = ? AND no = 1", g.userID(), pick(g, "chess", "Chess", "go")), exec("UPDATE parcels SET number = number + 1 WHERE ref = ?", pick(g, "7", "Abc", "")), exec("UPDATE logins SET n = n + 1 WHERE handle = ?", pick(g, "ANN", "Ben")),
				exec("UPDATE rates SET price = 5 WHERE at = '2024-01-01 01:00+01' AND factor = ?", pick(g, "-0", "1.5")), exec("INSERT INTO visits (club, no, what) VALUES (?, 1, 'new')", pick(g, "chess", "Chess", "go")), exec("INSERT INTO uses (alias, what) VALUES (?, 'n')", pick(g, "ANN", "BEN")))
		}},
	}
}
