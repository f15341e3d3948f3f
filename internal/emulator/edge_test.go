package emulator

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func testEdge() *edge {
	return &edge{host: "127.0.0.1:7", aliases: []string{"127.0.0.1:7", "localhost:7"}, account: func(n string) bool { return n == "mine" }}
}

func TestEdge(t *testing.T) {
	e := testEdge()
	for azure, here := range map[string]string{
		"https://management.azure.com/subscriptions/s?a=b":                 "http://127.0.0.1:7/subscriptions/s?a=b",
		"https://eastus.api.azureml.ms/discovery":                          "http://127.0.0.1:7/discovery",
		"https://mine.blob.core.windows.net/c/b?sig=x":                     "http://127.0.0.1:7/mine/c/b?sig=x",
		"https://mine.blob.core.windows.net":                               "http://127.0.0.1:7/mine",
		"https://mine.file.core.windows.net/share/f?sig=x":                 "http://127.0.0.1:7/mine.file/share/f?sig=x",
		"https://mine.dfs.core.windows.net/lake/d":                         "http://127.0.0.1:7/mine.dfs/lake/d",
		"https://ep.eastus.inference.ml.azure.com/score":                   "http://127.0.0.1:7/endpoints/ep/score",
		"azureml://eastus.api.azureml.ms/mlflow/v1.0/subscriptions/s":      "http://127.0.0.1:7/mlflow/v1.0/subscriptions/s",
		"https://eastus.api.azureml.ms/history/v1.0/subscriptions/s/runs/": "http://127.0.0.1:7/history/v1.0/subscriptions/s/runs/",
	} {
		require.Equal(t, here, e.outText(azure))
		require.Equal(t, azure, e.inText(here))
	}
	for _, same := range []string{
		"https://other.blob.core.windows.net/c/b", "https://ml.azure.com/runs/x", "see https://management.azure.com/x", "curl https://mine.blob.core.windows.net/c", "azureml://datastores/d/paths/p", "", "https://",
	} {
		require.Equal(t, same, e.outText(same))
	}
	for in, want := range map[string]string{
		"http://localhost:7/mine/c":              "https://mine.blob.core.windows.net/c",
		"http://127.0.0.1:7":                     "https://management.azure.com",
		"http://127.0.0.1:7/h/example.com/x":     "https://example.com/x",
		"http://127.0.0.1:77/mine/c":             "http://127.0.0.1:77/mine/c",
		"http://127.0.0.1:7.evil.example/mine/c": "http://127.0.0.1:7.evil.example/mine/c",
		"curl http://127.0.0.1:7/mine":           "curl http://127.0.0.1:7/mine",
		"http://127.0.0.1:7/endpoints/ep":        "https://ep.eastus.inference.ml.azure.com",
	} {
		require.Equal(t, want, e.inText(in))
	}
	store := map[string]any{"accountName": "mine", "endpoint": "core.windows.net", "protocol": "https"}
	require.Equal(t, map[string]any{"accountName": "mine", "endpoint": "127.0.0.1:7", "protocol": "http"}, e.out(store))
	require.Equal(t, map[string]any{"accountName": "mine", "endpoint": "core.windows.net", "protocol": "https"}, e.in(store))
	foreign := map[string]any{"accountName": "other", "endpoint": "core.windows.net", "protocol": "https"}
	require.Equal(t, map[string]any{"accountName": "other", "endpoint": "core.windows.net", "protocol": "https"}, e.out(foreign))
	require.Equal(t, "https://management.azure.com/x", (*edge)(nil).outText("https://management.azure.com/x"))
}

func TestEdgeGoesThereAndBack(t *testing.T) {
	e := testEdge()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom([]string{
			"https://management.azure.com/subscriptions", "https://eastus.api.azureml.ms/history", "https://mine.blob.core.windows.net", "https://ep.eastus.inference.ml.azure.com", "azureml://eastus.api.azureml.ms/mlflow", "https://example.com", "x",
		}).Draw(t, "host") + rapid.StringMatching(`(/[a-z%?&=.]{1,9}){0,3}`).Draw(t, "tail")
		require.Equal(t, s, e.inText(e.outText(s)))
	})
}
