package hitrate

import (
	"cmp"
	"slices"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// pageSize is how many users a preload shows.
const pageSize = 20

// preload shows users with their orders and tags, and changes some of that.
type preload struct {
	// page picks users: neighbors if it is set, else each by itself.
	page bool
	// links are those of users and tags.
	links map[shop.UserTag]bool
}

var _ scenario = (*preload)(nil)

func (p *preload) prepare(r *run) error {
	var links []shop.UserTag
	err := r.plain.Find(&links).Error
	p.links = make(map[shop.UserTag]bool, len(links))
	for _, l := range links {
		p.links[l] = true
	}
	return err
}

func (p *preload) choose(r *run) question {
	ids := p.pick(r)
	return question{
		ask: func(db *gorm.DB) (any, error) {
			var users []shop.User
			err := db.Preload("Orders").Preload("Tags").Find(&users, ids).Error
			return inOrder(users), err
		},
		answers: func(result any) map[string][]string {
			users, _ := result.([]shop.User)
			return preloadAnswers(users)
		},
	}
}

// pick returns the users to show.
func (p *preload) pick(r *run) []int64 {
	ids := make([]int64, 0, pageSize)
	if p.page {
		first := int64(r.users.Uint64()) / pageSize * pageSize
		for i := range int64(min(pageSize, r.size.Users)) {
			ids = append(ids, first+i+1)
		}
		return ids
	}
	for len(ids) < pageSize {
		if id := r.user(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// inOrder sorts what the database may return in any order.
func inOrder(users []shop.User) []shop.User {
	slices.SortFunc(users, func(a, b shop.User) int { return cmp.Compare(a.ID, b.ID) })
	for _, u := range users {
		slices.SortFunc(u.Orders, func(a, b shop.Order) int { return cmp.Compare(a.ID, b.ID) })
		slices.SortFunc(u.Tags, func(a, b shop.Tag) int { return cmp.Compare(a.ID, b.ID) })
	}
	return users
}

func preloadAnswers(users []shop.User) map[string][]string {
	asked := map[string][]string{}
	tags := map[int64]bool{}
	for _, u := range users {
		asked["users"] = append(asked["users"], userKey(u.ID))
		asked["orders"] = append(asked["orders"], ordersKey(u.ID))
		asked["user_tags"] = append(asked["user_tags"], linksKey(u.ID))
		for _, t := range u.Tags {
			if !tags[t.ID] {
				tags[t.ID] = true
				asked["tags"] = append(asked["tags"], tagKey(t.ID))
			}
		}
	}
	return asked
}

func (p *preload) write(r *run) error {
	user := r.user()
	switch r.rng.IntN(6) {
	case 0:
		r.oracle.changed(userKey(user))
		return r.cached.Model(&shop.User{}).Where("id = ?", user).Update("balance", r.rng.Int64N(1<<40)).Error
	case 1, 2:
		r.oracle.changed(ordersKey(user))
		return r.cached.Create(newOrder(r, user)).Error
	case 3:
		return p.changeOrder(r, user)
	case 4:
		return p.link(r, user)
	default:
		return p.unlink(r, user)
	}
}

// changeOrder changes or deletes the user's first order.
func (p *preload) changeOrder(r *run, user int64) error {
	var found []shop.Order
	if err := r.plain.Where("user_id = ?", user).Order("id").Limit(1).Find(&found).Error; err != nil || len(found) == 0 {
		return err
	}
	r.oracle.changed(ordersKey(user))
	if r.rng.IntN(2) == 0 {
		return r.cached.Delete(&found[0]).Error
	}
	return r.cached.Model(&found[0]).Update("total", found[0].Total+1).Error
}

// link gives the user a tag.
func (p *preload) link(r *run, user int64) error {
	tag := shop.Tag{ID: r.rng.Int64N(int64(r.size.Tags)) + 1}
	if err := r.plain.First(&tag).Error; err != nil {
		return err
	}
	l := shop.UserTag{UserID: user, TagID: tag.ID}
	if !p.links[l] {
		p.links[l] = true
		r.oracle.changed(linksKey(user))
	}
	return r.cached.Model(&shop.User{ID: user}).Association("Tags").Append(&tag)
}

// unlink takes one of the user's tags away.
func (p *preload) unlink(r *run, user int64) error {
	for id := range int64(r.size.Tags) {
		l := shop.UserTag{UserID: user, TagID: id + 1}
		if p.links[l] {
			delete(p.links, l)
			r.oracle.changed(linksKey(user))
			return r.cached.Model(&shop.User{ID: user}).Association("Tags").Delete(&shop.Tag{ID: l.TagID})
		}
	}
	return nil
}
