package faults_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// networkFaults are what happens between the processes and the server.
func networkFaults() []fault {
	all := []fault{
		{name: "cut", inflict: func(s *scene) {
			s.proxy.Cut()
			s.more()
			s.proxy.Restore()
		}},
		{name: "cut again and again", inflict: func(s *scene) {
			for range 5 {
				s.proxy.Cut()
				s.proxy.Restore()
				s.more()
			}
		}},
		{name: "connections are forgotten, new ones work", inflict: func(s *scene) {
			s.proxy.Silence()
			s.more()
		}},
		{name: "half-open: what is asked arrives, answers do not", inflict: answers(func() testkit.Fate {
			return testkit.Fate{Lost: true}
		})},
		{name: "some answers are lost", inflict: answers(func() testkit.Fate {
			return testkit.Fate{Lost: rand.IntN(10) == 0}
		})},
		{name: "closed in the middle of an answer", inflict: answers(func() testkit.Fate { return ends(testkit.Closed) })},
		{name: "reset in the middle of an answer", inflict: answers(func() testkit.Fate { return ends(testkit.Reset) })},
		{name: "answers come after the deadline, or not", inflict: answers(func() testkit.Fate {
			return testkit.Fate{Late: time.Duration(rand.IntN(2)) * 150 * time.Millisecond}
		})},
	}
	for _, ms := range []int{50, 100, 200, 500} { // the deadline is 100 ms
		late := time.Duration(ms) * time.Millisecond
		all = append(all, fault{name: "slow by " + late.String(), inflict: answers(func() testkit.Fate {
			return testkit.Fate{Late: late}
		})})
	}
	return append(all, fault{name: "slow by 10ms", timeout: unhurried, reached: true, inflict: func(s *scene) {
		s.proxy.Answers(func() testkit.Fate { return testkit.Fate{Late: 10 * time.Millisecond} })
		before := s.more()
		s.more()
		require.Greater(s.t, s.more(), before, "it is used on")
		s.proxy.Answers(nil)
	}})
}

// answers inflicts a fate upon answers, for a while.
func answers(fate func() testkit.Fate) func(*scene) {
	return func(s *scene) {
		s.proxy.Answers(fate)
		s.more()
		s.more()
		s.proxy.Answers(nil)
	}
}

// ends ends one connection of five somewhere in an answer.
func ends(how testkit.End) testkit.Fate {
	if rand.IntN(5) > 0 {
		return testkit.Fate{}
	}
	return testkit.Fate{End: how, Pass: rand.IntN(30)}
}

// What is lost, late or torn on the way costs hits, and no answer is taken for another.
func TestNetworkIsBrokenUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, f := range networkFaults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.play(t)
		})
	}
}
