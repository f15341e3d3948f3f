package table

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

type parquetRow struct {
	I    int64     `parquet:"i"`
	U    uint64    `parquet:"u"`
	F    *float64  `parquet:"f,optional"`
	S    *string   `parquet:"s,optional,dict,zstd"`
	B    bool      `parquet:"b"`
	T    time.Time `parquet:"t,timestamp(microsecond)"`
	Day  int32     `parquet:"day,date"`
	Cost int32     `parquet:"cost,decimal(2:9)"`
	Raw  []byte    `parquet:"raw"`
	L    []int32   `parquet:"l,list"`
	In   struct {
		X int32 `parquet:"x"`
	} `parquet:"in"`
}

func TestParquet(t *testing.T) {
	t.Parallel()
	half, text := 1.5, "é"
	at := time.Date(2020, 1, 3, 4, 5, 6, 123456000, time.UTC)
	rows := []parquetRow{
		{I: -1, U: 1 << 63, F: &half, S: &text, B: true, T: at, Day: 18263, Cost: -125, Raw: []byte{1, 255}, L: []int32{1, 2}},
		{I: 7, T: at, Cost: 5, L: []int32{}},
	}
	rows[0].In.X = 3
	var b bytes.Buffer
	require.NoError(t, parquet.Write(&b, rows, parquet.Compression(&parquet.Snappy)))
	file := filepath.Join(t.TempDir(), "a.parquet")
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
	d, err := Of("a.parquet")
	require.NoError(t, err)
	got, err := printed(d, []File{{file, "a.parquet"}})
	require.NoError(t, err)
	require.Equal(t, "i=-1 u=9223372036854775808 f=1.5 s=\"é\" b=True t=2020-01-03T04:05:06.123456 day=2020-01-02T00:00:00 cost=-1.25 raw=Af8= l=[1,2] in={\"x\":3}\n"+
		"i=7 u=0 f=null s=null b=False t=2020-01-03T04:05:06.123456 day=1970-01-01T00:00:00 cost=0.05 raw= l=[] in={\"x\":0}\n", got)

	d, err = Parse([]byte("paths:\n- file: a.parquet\ntransformations:\n- read_parquet:\n    include_path_column: true\n- filter: 'col(\"cost\") < 0'\n- keep_columns: [Path, i, cost]\n"))
	require.NoError(t, err)
	got, err = printed(d, []File{{file, "a.parquet"}})
	require.NoError(t, err)
	require.Equal(t, "Path=\"a.parquet\" i=-1 cost=-1.25\n", got)

	require.NoError(t, os.WriteFile(file, b.Bytes()[:b.Len()/2], 0o600))
	_, err = printed(d, []File{{file, "a.parquet"}})
	require.ErrorContains(t, err, "a.parquet: ")
}
