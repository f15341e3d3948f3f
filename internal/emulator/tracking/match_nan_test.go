package tracking

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNothingComparesWithNaN(t *testing.T) {
	for _, op := range []string{"=", "!=", "<", "<=", ">", ">="} {
		require.False(t, holdsNumber(op, 1, math.NaN()), op)
	}
	require.True(t, holdsNumber("!=", 1, 2))
}
