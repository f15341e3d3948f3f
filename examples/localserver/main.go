// Command localserver serves a local workspace over HTTP, for programs in any
// language: azure-ai-ml, mlflow, armmachinelearning, azblob, curl.
//
//	localserver [-addr 127.0.0.1:PORT] [-dir DIR] [-auth on|off] [-fault WHAT]
//
// When it is ready it prints one line of JSON on standard output (url,
// mlflow_tracking_uri, token, subscription_id, resource_group, workspace_name,
// config_file) and nothing else there. It stops on SIGINT and SIGTERM, and ends
// the jobs and deployments that run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/azureml-go/azureml/workspace/local"
)

// ready is the one line.
type ready struct {
	URL            string `json:"url"`
	Tracking       string `json:"mlflow_tracking_uri"`
	Token          string `json:"token"`
	SubscriptionID string `json:"subscription_id"`
	ResourceGroup  string `json:"resource_group"`
	WorkspaceName  string `json:"workspace_name"`
	ConfigFile     string `json:"config_file"`
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address and port to listen on; port 0 is any")
	dir := flag.String("dir", "", "folder of the workspace, kept at the end (default a temporary one)")
	auth := flag.String("auth", "on", "on: callers need the token; off: everybody who reaches the address may call, loopback only")
	fault := flag.String("fault", "", "what goes wrong with each request, as the field Do of local.Fault says it: latency=20ms, 503")
	verbose := flag.Bool("v", false, "log what is refused or fails to standard error")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "localserver: %q: only flags are taken\n", flag.Args())
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := &local.Options{Dir: *dir, Listen: *addr, Auth: local.Auth(*auth)}
	if *fault != "" {
		o.Faults = []local.Fault{{Do: *fault}}
	}
	if *verbose {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if err := serve(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "localserver:", err)
		stop()
		os.Exit(1)
	}
}

// serve runs until ctx ends.
func serve(ctx context.Context, o *local.Options, out io.Writer) (err error) {
	lw, err := local.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lw.Close()) }()
	url, err := lw.URL()
	if err != nil {
		return err
	}
	id := lw.ID()
	r := ready{URL: url, Tracking: url, Token: lw.Token(), SubscriptionID: id.Subscription, ResourceGroup: id.ResourceGroup, WorkspaceName: id.Name, ConfigFile: filepath.Join(lw.Dir, "config.json")}
	// As azure-ai-ml and workspace.FromEnvironment read it.
	config, err := json.MarshalIndent(map[string]string{"subscription_id": r.SubscriptionID, "resource_group": r.ResourceGroup, "workspace_name": r.WorkspaceName}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.ConfigFile, append(config, '\n'), 0o600); err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := out.Write(append(line, '\n')); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
