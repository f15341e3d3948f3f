package breastcancer

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheTable(t *testing.T) {
	rows, err := Read(bytes.NewReader(CSV))
	require.NoError(t, err)
	require.Len(t, rows, 569)
	require.Len(t, rows[0].Features, 30)
	require.False(t, rows[0].Benign)
	benign := 0
	for _, r := range rows {
		if r.Benign {
			benign++
		}
	}
	require.Equal(t, 357, benign)
	train, held := Split(rows)
	require.Len(t, held, 113)
	require.Len(t, train, 456)
}

func TestBadTables(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "breastcancer: header: EOF",
		"x":                 `breastcancer: the header must give the number of rows and of measurements, got ["x"]`,
		"1,2,a,b\n1,2":      "breastcancer: line 2: want 3 fields, got 2",
		"1,2,a,b\n1,nine,0": `breastcancer: line 2: strconv.ParseFloat: parsing "nine": invalid syntax`,
	} {
		_, err := Read(strings.NewReader(in))
		require.EqualError(t, err, want)
	}
}

func TestLearns(t *testing.T) {
	rows, err := Read(bytes.NewReader(CSV))
	require.NoError(t, err)
	train, held := Split(rows)
	m := NewModel(train)
	random := rand.New(rand.NewPCG(1, 2))
	first := m.Epoch(train, 0.01, random)
	var last float64
	for range 20 {
		last = m.Epoch(train, 0.01, random)
	}
	require.Less(t, last, first/2)
	require.Greater(t, m.Accuracy(held), 0.93)
}
