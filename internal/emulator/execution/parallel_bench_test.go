//go:build unix

package execution

import (
	"bufio"
	"io"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering is an entry program that does nothing with its mini-batches.
const answering = `#!/bin/sh
echo '{"ready":true}'
while read -r line; do echo '{"results":["x"]}'; done
`

// BenchmarkParallel scores 2,000 mini-batches of one small file on one process, and sends as many lines
// through a pipe to the same program: ms/mini-batch and pipe-ms/mini-batch. What ours does beyond the
// pipe is to bring the file, to note the progress and to keep the row.
func BenchmarkParallel(b *testing.B) {
	const batches = 2000
	w := newWorld(b)
	input := w.rows(batches)
	c := w.parallelComponent("noop", "noop.sh", answering, m{"max_concurrency_per_instance": 1})
	var ours, pipe time.Duration
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		r := w.runParallel("p"+strconv.Itoa(i), c, input, m{"mini_batch_size": 1})
		ours += time.Since(begin)
		require.Nil(b, r.Error)
		require.Equal(b, Completed, r.Status)

		cmd := exec.Command("sh", "-c", answering)
		in, err := cmd.StdinPipe()
		require.NoError(b, err)
		out, err := cmd.StdoutPipe()
		require.NoError(b, err)
		begin = time.Now()
		require.NoError(b, cmd.Start())
		lines := bufio.NewScanner(out)
		require.True(b, lines.Scan())
		for range batches {
			_, err := io.WriteString(in, `{"files":["/somewhere/rows/0001.txt"]}`+"\n")
			require.NoError(b, err)
			require.True(b, lines.Scan())
		}
		require.NoError(b, in.Close())
		require.NoError(b, cmd.Wait())
		pipe += time.Since(begin)
	}
	b.ReportMetric(ours.Seconds()*1e3/float64(b.N)/batches, "ms/mini-batch")
	b.ReportMetric(pipe.Seconds()*1e3/float64(b.N)/batches, "pipe-ms/mini-batch")
}
