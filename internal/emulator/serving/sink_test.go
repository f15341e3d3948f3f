package serving

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWaitingPayloadsAreBounded(t *testing.T) {
	t.Parallel()
	s := &sink{wake: make(chan struct{}, 1), dropped: map[string]int{}} // nobody writes
	c := &collection{name: "request"}
	for range 3 {
		s.add(&event{to: c, body: make([]byte, maxPending/2)})
	}
	require.Len(t, s.pending, 1)
	require.Equal(t, map[string]int{"request": 2}, s.dropped)
	for range maxPending >> 10 {
		s.add(&event{to: c})
	}
	require.LessOrEqual(t, len(s.pending), maxPending>>10)
}
