package serve_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/azureml-go/azureml/endpoints/serve"
)

// A scoring server as main would have it, asked once and stopped.
func ExampleRun() {
	load := func(ctx context.Context, modelDir string) (http.Handler, error) {
		// A real one reads its weights from modelDir: serve.FindFile(modelDir, "weights.json").
		return serve.JSON(func(ctx context.Context, in []float64) (float64, error) {
			if len(in) == 0 {
				return 0, serve.BadInput("no numbers to add")
			}
			sum := 0.0
			for _, v := range in {
				sum += v
			}
			return sum, nil
		}), nil
	}
	ctx, stop := context.WithCancel(context.Background())
	address := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		done <- serve.Run(ctx, load, &serve.Options{
			Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler), Listening: func(a net.Addr) { address <- a.String() },
		})
	}()
	base := "http://" + <-address
	for { // until the model is loaded
		resp, err := http.Get(base + serve.DefaultReadiness)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			break
		}
	}
	for _, body := range []string{"[1, 2, 3.5]", "[]"} {
		resp, err := http.Post(base+serve.DefaultScore, "application/json", strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Println(resp.StatusCode, strings.TrimSpace(string(text)))
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		log.Fatal(err)
	}
	// Output:
	// 200 6.5
	// 400 {"message":"no numbers to add"}
}

// A batch program: rows come back in the order of the files.
func ExampleRunBatch() {
	load := func(context.Context, string) (serve.ScoreBatch, error) {
		return func(_ context.Context, files []string) ([]string, error) {
			var rows []string
			for _, f := range files {
				rows = append(rows, fmt.Sprintf("%s,%d", f, len(f)))
			}
			return rows, nil
		}, nil
	}
	in := strings.NewReader(`{"files":["a.csv","bb.csv"]}`)
	o := &serve.BatchOptions{In: in, Out: os.Stdout, Logger: slog.New(slog.DiscardHandler)} // by default both are standard input and output
	if err := serve.RunBatch(context.Background(), load, o); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"ready":true}
	// {"results":["a.csv,5","bb.csv,6"]}
}
