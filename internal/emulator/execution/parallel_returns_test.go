//go:build unix

package execution

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A mini-batch whose run returns fewer results than there are items has failed
// where the items are counted; with an error_threshold of -1 they are not, as the
// published example that trains a model for each partition has it.
func TestParallelShortReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("one", "one.sh", "#!/bin/sh\necho '{\"ready\":true}'\nwhile read -r line; do echo '{\"results\":[\"row\"]}'; done\n", nil)
	r := w.runParallel("borne", c, w.rows(9), m{"mini_batch_size": 3, "error_threshold": -1, "mini_batch_error_threshold": 0})
	require.Nil(t, r.Error)
	require.Contains(t, w.artifact(r, progressLog), "3 of 3 mini-batches processed, 0 failed; 9 items, 6 failed")
	r = w.runParallel("counted", c, w.rows(9), m{"mini_batch_size": 3, "error_threshold": 6, "mini_batch_error_threshold": 0})
	require.ErrorContains(t, r.Error, "The number of failed mini-batches, 1, has exceeded the mini_batch_error_threshold of 0. The last error: run() returned 1 results for the 3 items of mini-batch")
}
