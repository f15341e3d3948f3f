package emulator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func dataset(uri string) map[string]any {
	return map[string]any{"properties": map[string]any{"dataType": "uri_file", "dataUri": uri}}
}

// pages follows nextLink to the end and gives the names and how many pages there were.
func (c *client) pages(path string) (names []string, n int) {
	c.t.Helper()
	for path != "" {
		d := c.do("GET", path, nil).want(200).doc()
		for _, v := range d["value"].([]any) {
			names = append(names, document(v.(map[string]any)).text("name"))
		}
		path = d.text("nextLink")
		if n++; n > 100 {
			c.t.Fatal("the pages do not end")
		}
	}
	return names, n
}

func TestPaging(t *testing.T) {
	for name, make := range map[string]func(*testing.T, *Server) *client{"in process": inside, "over the port": outside} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{PageSize: 3})
			c := make(t, s)
			var want []string
			for i := range 10 {
				n := fmt.Sprint(i)
				c.do("PUT", at("data", "d", "versions", n), dataset("https://example.com/"+n)).want(201)
				c.do("PUT", at("data", "d"+n, "versions", "1"), dataset("https://example.com/x")).want(201)
				want = append([]string{n}, want...)
			}
			names, n := c.pages(at("data", "d", "versions"))
			require.Equal(t, want, names, "newest first")
			require.Equal(t, 4, n)
			names, n = c.pages(at("data", "d", "versions") + "&$top=5")
			require.Equal(t, want, names)
			require.Equal(t, 2, n)
			names, _ = c.pages(at("data", "d", "versions") + "&$orderBy=createdtime+asc")
			require.Equal(t, "0", names[0])
			names, n = c.pages(at("data"))
			require.Len(t, names, 11)
			require.Equal(t, 4, n)
			latest := c.do("GET", at("data", "d", "versions")+"&$orderBy=createdtime%20desc&$top=1", nil).want(200).doc()
			require.Len(t, latest["value"], 1)
			link := latest.text("nextLink")
			require.Contains(t, link, "api-version=2024-04-01")
			if c.base != "" {
				require.True(t, strings.HasPrefix(link, c.base), link)
			} else {
				require.True(t, strings.HasPrefix(link, "https://management.azure.com/"), link)
			}

			// Archived ones are left out, and do not shorten pages.
			for _, i := range []string{"0", "9", "8", "5"} {
				d := dataset("https://example.com/" + i)
				d["properties"].(map[string]any)["isArchived"] = true
				c.do("PUT", at("data", "d", "versions", i), d).want(200)
			}
			names, n = c.pages(at("data", "d", "versions"))
			require.Equal(t, []string{"7", "6", "4", "3", "2", "1"}, names)
			require.Equal(t, 2, n)
			names, _ = c.pages(at("data", "d", "versions") + "&listViewType=ArchivedOnly")
			require.Equal(t, []string{"9", "8", "5", "0"}, names)
			names, _ = c.pages(at("data", "d", "versions") + "&listViewType=All")
			require.Len(t, names, 10)

			c.do("GET", at("data")+"&$skip=nonsense", nil).want(400)
			c.do("GET", at("data")+"&$top=-1", nil).want(400)
			c.do("GET", at("data")+"&listViewType=Some", nil).want(400)
			c.do("GET", at("data", "d", "versions")+"&$orderBy=colour", nil).want(400)

			// A page that a deletion has gone through goes on.
			first := c.do("GET", at("data", "d", "versions"), nil).want(200).doc()
			c.do("DELETE", at("data", "d", "versions", "4"), nil).want(200)
			names, _ = c.pages(first.text("nextLink"))
			require.Equal(t, []string{"3", "2", "1"}, names)
		})
	}
}
