package assets

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/rest"
)

type realCredential struct{}

func (realCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "real", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// A datastore is a document that others may write: the caller's token goes to storage of Azure only.
func TestTokenGoesToStorageOnly(t *testing.T) {
	c, err := rest.New(rest.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, realCredential{}, nil)
	require.NoError(t, err)
	for _, endpoint := range []string{"evil.example", "core.windows.net.evil.example", "xcore.windows.net", "127.0.0.1:10000", "[::1]:80"} {
		_, err := openContainer(c, "https", "acct", endpoint, "box", access{})
		require.ErrorContains(t, err, "the caller's token is not sent to", endpoint)
	}
	for _, endpoint := range []string{"", "core.windows.net", "core.usgovcloudapi.net", "z12.core.windows.net"} {
		_, err := openContainer(c, "https", "acct", endpoint, "box", access{})
		require.NoError(t, err, endpoint)
	}
	for _, bad := range []string{"a/b", "x@y", "h:80", "a?b", "a b"} {
		_, err := openContainer(c, "https", "acct", bad, "box", access{sas: "sig=x"})
		require.ErrorContains(t, err, "is no storage endpoint", bad)
		_, err = openContainer(c, "https", "acct", "core.windows.net", bad, access{sas: "sig=x"})
		require.ErrorContains(t, err, "is no name of a storage container", bad)
	}
}

func TestContainerURL(t *testing.T) {
	for _, c := range [][5]string{
		{"https", "acct", "core.windows.net", "box", "https://acct.blob.core.windows.net/box"},
		{"wasbs", "acct", "core.windows.net", "box", "https://acct.blob.core.windows.net/box"},
		{"http", "acct", "core.windows.net", "box", "https://acct.blob.core.windows.net/box"},
		{"http", "acct", "127.0.0.1:10000", "box", "http://127.0.0.1:10000/acct/box"},
		{"https", "acct", "[::1]:10000", "box", "https://[::1]:10000/acct/box"},
	} {
		got, err := storageURL(c[0], c[1], "blob", c[2], c[3])
		require.NoError(t, err)
		require.Equal(t, c[4], got)
	}
}

func TestParseSAS(t *testing.T) {
	s, err := parseSAS("https://acct.blob.core.windows.net/codes-1?sv=2022&sig=a%2Bb%3D")
	require.NoError(t, err)
	require.Equal(t, []string{"https://acct.blob.core.windows.net/codes-1", "codes-1", "sv=2022&sig=a%2Bb%3D"}, []string{s.address.String(), s.container, s.query})
	s, err = parseSAS("http://127.0.0.1:10000/acct/codes-1/?sig=x")
	require.NoError(t, err)
	require.Equal(t, []string{"http://127.0.0.1:10000/acct/codes-1", "codes-1"}, []string{s.address.String(), s.container})
	for _, bad := range []string{"", "https://a.b/c", "http://a.b/c?sig=sekret", "https://u:p@a.b/c?sig=sekret", "https://a.b/?sig=sekret", "https://a.b/%zz?sig=sekret", "mailto:x?sig=sekret"} {
		_, err := parseSAS(bad)
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "sekret")
	}
}

func FuzzSAS(f *testing.F) {
	for _, s := range []string{"https://acct.blob.core.windows.net/codes-1?sv=2022&sig=a%2Bb%3D", "http://127.0.0.1:1/a/b?sig=x", "http://[::1]/a?sig=", "https://a/b%2Fc?sig=1#f", "https:///x?sig=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		s, err := parseSAS(uri)
		if err != nil {
			return
		}
		if s.container == "" || s.address.Host == "" || s.address.RawQuery != "" || s.address.User != nil || s.address.Fragment != "" {
			t.Fatalf("%q: %+v", uri, s)
		}
		if s.address.Scheme != "https" && !loopback(s.address.Host) {
			t.Fatalf("%q: http to %s", uri, s.address.Host)
		}
		if !strings.Contains(s.query, "sig") && !strings.Contains(s.query, "%") {
			t.Fatalf("%q: the signature is lost: %q", uri, s.query)
		}
	})
}

func TestParseLocation(t *testing.T) {
	for uri, want := range map[string]location{
		"azureml://datastores/d/paths/a/b": {datastore: "d", path: "a/b"},
		"azureml://datastores/d/paths/":    {datastore: "d"},
		"azureml://datastores/d":           {datastore: "d"},
		"azureml://subscriptions/s/resourceGroups/g/workspaces/w/datastores/d/paths/p": {subscription: "s", resourceGroup: "g", workspace: "w", datastore: "d", path: "p"},
		"azureml://datastores/d/ExperimentRun/dcid.x/y":                                {datastore: "d", path: "ExperimentRun/dcid.x/y"},
		"azureml://jobs/j/outputs/o/paths/p/q":                                         {job: "j", output: "o", path: "p/q"},
		"azureml://jobs/j/outputs/o":                                                   {job: "j", output: "o"},
		"runs:/r/p":                                                                    {run: "r", path: "p"},
		"azureml://artifacts/ExperimentRun/dcid.r/p":                                   {run: "r", path: "p"},
		"folder:azureml://datastores/d/paths/a":                                        {datastore: "d", path: "a"},
	} {
		got, err := parseLocation(uri)
		require.NoError(t, err, uri)
		require.Equal(t, want, *got, uri)
	}
	for uri, want := range map[string][]string{
		"https://acct.blob.core.windows.net/box/a b/c": {"https", "acct", "core.windows.net", "box", "a b/c"},
		"https://acct.dfs.core.windows.net/box":        {"https", "acct", "core.windows.net", "box", ""},
		"http://127.0.0.1:1/acct/box/x":                {"http", "acct", "127.0.0.1:1", "box", "x"},
	} {
		l, err := parseLocation(uri)
		require.NoError(t, err, uri)
		protocol, account, endpoint, name, path, err := l.blob()
		require.NoError(t, err)
		require.Equal(t, want, []string{protocol, account, endpoint, name, path})
	}
	for _, bad := range []string{"", "azureml:a:1", "azureml://models/a/versions/1", "ftp://x/y", "https://a.b/c?sig=x", "azureml://datastores/"} {
		_, err := parseLocation(bad)
		require.Error(t, err, bad)
	}
	for _, bad := range []string{"https://example.com/a/b", "https://acct.file.core.windows.net/a", "http://acct.blob.core.windows.net/a", "https://acct.blob.core.windows.net/"} {
		l, err := parseLocation(bad)
		require.NoError(t, err, bad)
		_, _, _, _, _, err = l.blob()
		require.Error(t, err, bad)
	}
}

func FuzzLocation(f *testing.F) {
	for _, s := range []string{"azureml://datastores/d/paths/a", "azureml://jobs/j/outputs/o/paths/p", "runs:/r/p", "https://acct.blob.core.windows.net/box/a", "http://127.0.0.1:1/acct/box/x", "file:azureml://x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		l, err := parseLocation(uri)
		if err != nil {
			return
		}
		set := 0
		for _, is := range []bool{l.datastore != "", l.job != "", l.run != "", l.address != nil} {
			if is {
				set++
			}
		}
		if set != 1 {
			t.Fatalf("%q: %+v", uri, l)
		}
		if l.address != nil {
			if _, account, _, name, _, err := l.blob(); err == nil && (account == "" || name == "") {
				t.Fatalf("%q: no container", uri)
			}
		}
	})
}
