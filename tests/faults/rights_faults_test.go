package faults_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// rightsFaults are a server that does not let the processes do what they want.
func rightsFaults() []fault {
	return []fault{
		{
			name: "the password is rotated", args: []string{"--requirepass", "old"}, password: "old",
			inflict: func(s *scene) {
				require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "requirepass", "new").Err())
				s.killClients()
				s.more()
				s.answered("WRONGPASS")
				require.NoError(s.t, s.admin.ConfigSet(s.t.Context(), "requirepass", "old").Err())
			},
		},
		{
			name: "the password of a user is rotated", user: "app", password: "old",
			inflict: func(s *scene) {
				s.user("resetpass", ">new")
				require.NoError(s.t, s.admin.Do(s.t.Context(), "CLIENT", "KILL", "USER", "app").Err())
				s.more()
				s.answered("WRONGPASS")
				s.user("resetpass", ">old")
			},
		},
		{
			name: "writes are forbidden to a user", user: "app", password: "old",
			inflict: func(s *scene) {
				s.user("-@write", "-@scripting")
				s.more()
				s.answered("NOPERM")
				s.user("+@write", "+@scripting")
			},
		},
		{
			name: "reads are forbidden to a user", user: "app", password: "old",
			inflict: func(s *scene) {
				s.user("-mget", "-get")
				s.more()
				s.answered("NOPERM")
				s.user("+mget", "+get")
			},
		},
	}
}

// user changes what the user "app" may do.
func (s *scene) user(rules ...string) {
	s.t.Helper()
	args := []any{"ACL", "SETUSER", "app"}
	for _, r := range rules {
		args = append(args, r)
	}
	require.NoError(s.t, s.admin.Do(s.t.Context(), args...).Err())
}

// Rights that are taken away cost the cache, until they are given back.
func TestRightsAreTakenAwayUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, f := range rightsFaults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.play(t)
		})
	}
}
