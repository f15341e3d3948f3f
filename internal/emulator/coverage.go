package emulator

import (
	"fmt"
	"io"
	"strings"
)

// WriteRoutes writes the table of routes as a page of documentation.
func WriteRoutes(w io.Writer) error {
	all := Routes()
	kinds := map[string]bool{}
	for _, r := range all {
		kinds[r.Kind] = true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What a local workspace serves\n\nMade from the router's own table: %d routes of %d kinds. `{W}` is a workspace's resource id.\n", len(all), len(kinds))
	fmt.Fprintf(&b, "Besides them: storage under `/ACCOUNT/…` (blobs, and what only Data Lake Gen2 or Azure Files ask) and under `/ACCOUNT.blob/…`, `/ACCOUNT.dfs/…`, `/ACCOUNT.file/…`, MLflow at the root and under `/mlflow/v1.0{W}` and `/mlflow/v2.0{W}`, scoring under `/endpoints/NAME/…`,\n")
	fmt.Fprintf(&b, "and any host of Azure under `/h/HOST/…`. Routes of the resource manager are served below `/mferp/managementfrontend` too.\n\n")
	b.WriteString("| method | path | operation | api-versions | long-running |\n|---|---|---|---|---|\n")
	for _, r := range all {
		versions := "in the path"
		switch n := len(r.APIVersions); {
		case n > 0:
			versions = r.APIVersions[0] + " … " + r.APIVersions[n-1]
		case strings.Contains(r.Path, "/providers/") && !strings.HasPrefix(r.Path, "/genericasset") && strings.HasPrefix(r.Path, "/subscriptions") || r.Path == "/metadata/endpoints":
			versions = "any"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", r.Method, strings.ReplaceAll(r.Path, pW, "{W}"), r.Operation, versions, r.LongRunning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
