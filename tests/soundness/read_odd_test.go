package soundness_test

import "gorm.io/gorm"

// whole are reads of what stands for other tables.
func whole() []readKind {
	return []readKind{
		{"view", func(g *gen) read {
			id := g.userID()
			return pick(g, many[freshOrder](where("user_id = ?", id)), text("SELECT * FROM user_orders WHERE user_id = ?", id), text("SELECT * FROM user_orders WHERE tenant_id = ? AND name = 'ada'", g.IntN(3)),
				text("SELECT * FROM totals WHERE user_id = ?", id), text("SELECT * FROM totals"), text("SELECT f.id, u.name FROM fresh_orders f JOIN users u ON u.id = f.user_id WHERE f.user_id = ?", id),
				text("SELECT count(*) AS n FROM fresh_orders"), text("SELECT * FROM swapped WHERE user_id = ?", g.IntN(5)*10), text("SELECT id FROM swapped WHERE amount = ?", id), text("SELECT o.* FROM orders o JOIN totals t USING (user_id) WHERE o.user_id = ?", id))
		}},
		{"materialized view", func(g *gen) read {
			return pick(g, text("SELECT * FROM kept"), text("SELECT n FROM kept WHERE status = ?", g.status()))
		}},
		{"partition and partitioned table", func(g *gen) read {
			d, s := g.IntN(5)*6+1, g.IntN(4)+1
			return pick(g, many[reading](where("day = ? AND sensor = ?", d, s)), many[reading](where("sensor = ?", s)), text("SELECT * FROM readings_a WHERE sensor = ?", s),
				text("SELECT * FROM readings_b"), text("SELECT sum(value) AS s FROM readings WHERE day = ?", d), text("SELECT * FROM readings_rest WHERE day = ? AND sensor = ?", d, s))
		}},
		{"table with heirs", func(g *gen) read {
			return pick(g, many[place](where("id = ?", g.IntN(4)+1)), many[place](where("town = ?", "Bonn")), text("SELECT * FROM ONLY places"), text("SELECT * FROM capitals WHERE town = ?", pick(g, "Kiel", "Bonn")),
				text("SELECT sum(people) AS s FROM places"))
		}},
		{"what triggers write", func(g *gen) read {
			return pick(g, many[queue](where("name = ?", pick(g, "urgent", "low"))), many[queue](by("name")), many[stat](where("name = ?", pick(g, "mail", "sync"))), text("SELECT sum(n) AS s FROM stats"),
				many[audit](where("order_id = ?", g.orderID())), many[ticket](where("user_id = ?", pick(g, 1, g.userID()))), text("SELECT count(*) AS n FROM audits"), one[ticket](where("id = ?", g.ticketID())))
		}},
	}
}

// oddKeys are reads by values that are equal to others which look different, or differ from others that look alike.
func oddKeys() []readKind {
	return []readKind{
		{"row by an odd primary key", func(g *gen) read {
			a := pick(g, "Ann", "ann", "ANN", "BEN")
			return pick(g, many[account](where("handle = ?", a)), many[account](where("handle = ?", pick(g, "ann", "cat", "Nobody"))), many[country](where("code = ?", pick(g, "de", "FR", "fr", "it "))), many[alias](where("alias = ?", a)),
				many[device](where("id = ?", pick(g, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"))), many[code](where("ref = ?", pick(g, "007", "7", "Abc", ""))),
				many[membership](where("club = ? AND no = ?", pick(g, "chess", "Chess"), 1)), many[mood](where("mood = ?", "calm")), many[reading](where("day = ? AND sensor = ?", pick(g, 1, 7, 13), 1)))
		}},
		{"row whose key others may get", func(g *gen) read {
			return pick(g, many[account](where("handle = ?", pick(g, "eve", "EVE"))), many[country](where("code = ?", pick(g, "at", "AT ", "DE"))), many[alias](where("alias = ?", "eve")), many[code](where("ref = ?", pick(g, "0007", "ABC"))),
				many[membership](where("club = ? AND no = ?", pick(g, "golf", "chess", "go"), pick(g, 1, 4))), many[user](where("id = ?", g.IntN(5)+7)), many[order](where("id = ?", g.IntN(9)+19)), many[company](where("id = ?", g.IntN(3)+4)))
		}},
		{"char(n) and citext keys", func(g *gen) read {
			c, h := pick(g, "de", "de ", "FR", "fr", "usa", "at"), pick(g, "Ann", "ann", "ANN", "ben", "nobody", "cat", "eve")
			return pick(g, many[country](where("code = ?", c)), many[city](where("country = ?", c)), many[city](where(&city{Country: &c})), many[account](where("handle = ?", h)), many[login](where("handle = ?", h)),
				many[login](where("handle IN ?", []string{h, "BEN"})), text("SELECT l.n, a.balance FROM logins l JOIN accounts a USING (handle) WHERE a.handle = ?", h),
				text("SELECT l.n FROM logins l WHERE l.handle::text = ?", h), count(chain(model(&city{}), where("country = ?", c))))
		}},
		{"text and bigint that look alike", func(g *gen) read {
			r := pick(g, "007", "7", " 7", "Abc", "abc", "ABC", "", "%")
			n := pick[any](g, 7, -7, int64(9007199254740993), int64(9007199254740992), int64(-9223372036854775808), 0, "7", "007")
			return pick(g, many[parcel](where("ref = ?", r)), many[parcel](where(map[string]any{"ref": r})), many[parcel](where("number = ?", n)), many[code](where("ref = ?", r)), many[code](where("number = ?", n)),
				text("SELECT p.id, c.number FROM parcels p JOIN codes c ON c.ref = p.ref WHERE p.ref = ?", r), many[parcel](where("ref IN ?", []string{r, "7"})),
				many[parcel](where("ref::int = 7 AND ref ~ '^[0-9 ]+$'")), many[parcel](where("number = 9007199254740993")), many[parcel](where("number::float8 = ?", 9007199254740992.0)))
		}},
		{"collation, numeric and time keys", func(g *gen) read {
			a, n := pick(g, "Ann", "ann", "ANN", "éva", "BEN", "eve"), pick[any](g, 1, "1.0", 2.5, "2.500", "-3", "NaN", 4)
			at := pick(g, "2024-01-01 00:00Z", "2024-01-01 02:00+02", "2024-06-01 00:00Z")
			return pick(g, many[alias](where("alias = ?", a)), many[alias](where(map[string]any{"alias": a})), many[use](where("alias = ?", a)), many[use](where("alias IN ?", []string{a, "ben"})),
				many[grade](where("grade = ?", n)), many[exam](where("grade = ?", n)), many[exam](where("at = ?", at)), many[rate](where("at = ? AND factor = ?", at, pick[any](g, 0, "-0", 1.5))),
				text("SELECT u.what, a.n FROM uses u JOIN aliases a USING (alias) WHERE a.alias = ?", a), many[alias](func(db *gorm.DB) *gorm.DB { return db.Preload("Uses") }),
				many[rate](where("factor = ?", 0)), many[alias](where("alias IN ?", []string{a, "ANN", "ann"})), text("SELECT e.id, g.name FROM exams e JOIN grades g ON g.grade = e.grade WHERE g.grade = ?", n))
		}},
		{"uuid and enum keys", func(g *gen) read {
			id := pick(g, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a12}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a15")
			m := pick(g, "calm", "wild", "sad")
			return pick(g, many[device](where("id = ?", id)), many[device](where("mood = ?", m)), many[device](where("user_id = ?", g.userID())), many[mood](where("mood = ?", m)),
				text("SELECT d.id::text, m.title FROM devices d JOIN moods m ON m.mood = d.mood WHERE d.mood = ?", m), many[device](where("user_id = ? AND mood = ?", 1, m)))
		}},
		{"composite keys", func(g *gen) read {
			club, no := pick(g, "chess", "Chess", "go", "golf"), g.IntN(3)+1
			return pick(g, many[membership](where("club = ? AND no = ?", club, no)), many[membership](where("club = ?", club)), many[membership](where(map[string]any{"no": no, "club": club})),
				many[visit](where("club = ? AND no = ?", club, no)), many[membership](where("(club, no) IN ?", [][]any{{club, no}, {"go", 1}})), many[membership](where("user_id = ?", g.userID())),
				text("SELECT m.role, v.what FROM memberships m JOIN visits v USING (club, no) WHERE club = ?", club), text("SELECT * FROM user_tags WHERE user_id = ? AND tag_id = ?", g.userID(), g.tagID()),
				text("SELECT level FROM user_tags WHERE tag_id = ?", g.tagID()), many[visit](where("no = ?", no)),
				maps(chain(func(db *gorm.DB) *gorm.DB { return db.Table("user_tags") }, where("level = ?", pick(g, 1, 2)))))
		}},
	}
}
