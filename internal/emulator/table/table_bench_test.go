package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkDelimited reads rows and finds their types.
func BenchmarkDelimited(b *testing.B) {
	var s strings.Builder
	s.WriteString("i,f,s,d,q\n")
	for i := range 20000 {
		fmt.Fprintf(&s, "%d,%g,text %d,2020-01-02 03:04:05,\"a, b\"\n", i, float64(i)/7, i%100)
	}
	at := filepath.Join(b.TempDir(), "a.csv")
	require.NoError(b, os.WriteFile(at, []byte(s.String()), 0o600))
	d, err := Of("a.csv")
	require.NoError(b, err)
	b.SetBytes(int64(s.Len()))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range d.Rows(context.Background(), []File{{at, "a.csv"}}) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, 20000, n)
	}
}
