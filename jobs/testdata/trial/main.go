// Command trial is what the tests' jobs run: it logs a loss that is least at x = 2, and writes x to a file.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/azureml-go/azureml/jobs/mlflow"
)

func main() {
	x := flag.Float64("x", 0, "where the loss is taken")
	out := flag.String("out", "", "folder of the result")
	flag.Parse()
	if err := run(context.Background(), *x, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, x float64, out string) error {
	tr, err := mlflow.FromEnvironment(ctx)
	if err != nil {
		return err
	}
	defer tr.Close()
	active, err := tr.Start(ctx, nil)
	if err != nil {
		return err
	}
	active.Metrics().Log("loss", (x-2)*(x-2), 0)
	fmt.Println("trial", x)
	if out != "" {
		if err := os.WriteFile(filepath.Join(out, "x.txt"), fmt.Appendf(nil, "%v\n", x), 0o600); err != nil {
			return err
		}
	}
	return active.End(ctx, mlflow.Finished)
}
