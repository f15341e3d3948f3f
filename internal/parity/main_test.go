package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryMethodHasAMethodOrAReason(t *testing.T) {
	entries, err := parse(table)
	require.NoError(t, err)
	require.Len(t, entries, 174)
	seen := map[string]bool{}
	for _, e := range entries {
		require.False(t, seen[e.class+"."+e.method], "%s.%s twice", e.class, e.method)
		seen[e.class+"."+e.method] = true
	}
	have, err := methods("../..")
	require.NoError(t, err)
	done, reasons, faults := check(entries, have)
	report(os.Stdout, entries, done, reasons, faults, false)
	require.Empty(t, faults)
	require.GreaterOrEqual(t, done, 150)
}

func TestFaults(t *testing.T) {
	entries, err := parse("A.x\tjobs.Client.Get\nA.y\tjobs.Client.None\nA.z\t- because\nA.w\tjobs.Client.Bare\n")
	require.NoError(t, err)
	done, reasons, faults := check(entries, map[string]string{"jobs.Client.Get": "Get reads (Jobs_Get).", "jobs.Client.Bare": "Bare says nothing."})
	require.Equal(t, 1, done)
	require.Equal(t, 1, reasons)
	require.Equal(t, []string{"A.w: the comment of jobs.Client.Bare names no REST operation", "A.y: there is no method jobs.Client.None"}, faults)
	_, err = parse("A.x jobs")
	require.ErrorContains(t, err, "table.tsv:1")
}
