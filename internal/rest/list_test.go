package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

func number(raw json.RawMessage) (n int, err error) { return n, json.Unmarshal(raw, &n) }

func TestListFollowsLinks(t *testing.T) {
	c, s := newTestClient(t, nil,
		say(200, `{"value":[1,2],"nextLink":"https://management.azure.com`+wsPath+`/jobs?api-version=old&$skip=2"}`),
		say(200, `{"value":[],"nextLink":"`+wsPath+`/jobs?%24skip=3"}`),
		say(200, `{"value":[3],"nextLink":null}`))
	q := url.Values{"jobType": {"Command"}}
	all := All(t.Context(), c, &Call{Op: "jobs: list", Path: c.Path("jobs"), Group: "jobs", Query: q}, number)
	q.Set("jobType", "changed") // options are copied
	for range 2 {               // a sequence may be ranged over again
		s.sent = nil
		var got []int
		for n, err := range all {
			require.NoError(t, err)
			got = append(got, n)
		}
		require.Equal(t, []int{1, 2, 3}, got)
		require.Equal(t, []string{
			"GET https://management.azure.com" + wsPath + "/jobs?api-version=2024-01-01-preview&jobType=Command",
			"GET https://management.azure.com" + wsPath + "/jobs?%24skip=2&api-version=2024-01-01-preview",
			"GET https://management.azure.com" + wsPath + "/jobs?%24skip=3&api-version=2024-01-01-preview",
		}, s.urls())
	}
	s.sent = nil
	for range all {
		break
	}
	require.Len(t, s.sent, 1, "no page is asked for that nobody wants")
}

func TestListRefusesOtherHosts(t *testing.T) {
	for _, link := range []string{
		"https://evil.example/x", "http://management.azure.com/x", "https://management.azure.com:8443/x",
		"https://management.azure.com@evil.example/x", "//evil.example/x", "https://user@management.azure.com/x", "https://management.azure.com.evil.example/x",
	} {
		c, s := newTestClient(t, nil, say(200, `{"value":[1],"nextLink":"`+link+`"}`))
		var last error
		var got []int
		for n, err := range All(t.Context(), c, &Call{Op: "jobs: list", Path: c.Path("jobs"), Group: "jobs"}, number) {
			if err == nil {
				got = append(got, n)
			}
			last = err
		}
		require.ErrorContains(t, last, "jobs: list: the nextLink", link)
		require.Equal(t, []int{1}, got)
		require.Len(t, s.sent, 1)
	}
}

func TestListOfOtherShapes(t *testing.T) {
	c, s := newTestClient(t, nil,
		say(200, `{"nodes":[1],"nextLink":"https://management.azure.com/next?a=b"}`), say(200, `{"nodes":[2]}`))
	var got []int
	for n, err := range All(t.Context(), c, &Call{Method: "POST", Path: c.Path("computes", "x", "listNodes"), Group: "computes", Items: "nodes"}, number) {
		require.NoError(t, err)
		got = append(got, n)
	}
	require.Equal(t, []int{1, 2}, got)
	require.Equal(t, http.MethodGet, s.sent[1].method)

	c, s = newTestClient(t, nil, say(200, `{"value":[1],"continuationToken":"t 1"}`), say(200, `{"value":[2],"continuationToken":null}`))
	got = nil
	for n, err := range All(t.Context(), c, &Call{Path: c.Path("children"), Group: "runHistory", Continue: "$continuationtoken"}, number) {
		require.NoError(t, err)
		got = append(got, n)
	}
	require.Equal(t, []int{1, 2}, got)
	require.Contains(t, s.sent[1].url, "%24continuationtoken=t+1")

	for body, fault := range map[string]string{
		`{"value":5}`: "decoding value", `{"value":["x"]}`: "cannot unmarshal", `{`: "decoding a page",
		`{"value":[1],"nextLink":"?api-version=2024-01-01-preview"}`: "the same page",
	} {
		c, _ = newTestClient(t, nil, say(200, body))
		var last error
		for _, err := range All(t.Context(), c, &Call{Op: "x: list", Path: c.Path("jobs"), Group: "jobs"}, number) {
			last = err
		}
		require.ErrorContains(t, last, "x: list: ")
		require.ErrorContains(t, last, fault)
	}
}
