package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// ScoreBatch scores the files of a mini-batch and returns the rows of its
// result, one line each. An error fails the mini-batch, which the caller may
// send again.
type ScoreBatch func(ctx context.Context, files []string) ([]string, error)

// LoadBatch makes the scoring function from the model's folder, once.
type LoadBatch func(ctx context.Context, modelDir string) (ScoreBatch, error)

// BatchOptions of RunBatch.
type BatchOptions struct {
	// In and Out carry the protocol. Default to standard input and output.
	In  io.Reader
	Out io.Writer
	// Timeout bounds one mini-batch. Defaults to none: the caller has its own.
	Timeout time.Duration
	// Logger defaults to text on standard error.
	Logger *slog.Logger
}

// BatchRequest is one line to a batch program: a mini-batch.
type BatchRequest struct {
	Files []string `json:"files"`
}

// BatchAnswer is one line from a batch program: first that it is ready, then
// the result of each mini-batch, in order.
type BatchAnswer struct {
	Ready   bool     `json:"ready,omitempty"`
	Results []string `json:"results,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// RunBatch scores mini-batches until its input ends. It is what a batch
// deployment's or a parallel step's program in Go calls from main.
//
// The protocol is lines of JSON. The program loads its model and writes
// {"ready":true}; for each line {"files":["/data/a.csv","/data/b.csv"]} that it
// reads it writes {"results":["row","row"]}, or {"error":"why"}; when its input
// ends it returns. Standard output is the protocol's alone: what the program
// prints there while RunBatch runs goes to standard error.
//
// A local workspace speaks this protocol itself. On Azure the entry script that
// BatchCode writes does.
func RunBatch(ctx context.Context, load LoadBatch, o *BatchOptions) error {
	var c BatchOptions
	if o != nil {
		c = *o
	}
	if c.In == nil {
		c.In = os.Stdin
	}
	if c.Out == nil {
		out := os.Stdout
		os.Stdout = os.Stderr
		defer func() { os.Stdout = out }()
		c.Out = out
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := json.NewEncoder(c.Out)
	out.SetEscapeHTML(false)
	score, err := load(ctx, os.Getenv("AZUREML_MODEL_DIR"))
	if err == nil && score == nil {
		err = errors.New("load returned no function")
	}
	if err != nil {
		err = fmt.Errorf("serve: load the model: %w", err)
		return errors.Join(err, out.Encode(BatchAnswer{Error: err.Error()}))
	}
	if err := out.Encode(BatchAnswer{Ready: true}); err != nil {
		return fmt.Errorf("serve: batch: %w", err)
	}
	lines := make(chan []byte)
	ended := make(chan error, 1)
	go func() { ended <- readLines(ctx, c.In, lines) }()
	for {
		select {
		case <-ctx.Done(): // the reader may still wait for its input: it ends with that
			return fmt.Errorf("serve: batch: %w", context.Cause(ctx))
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("serve: batch: %w", err)
			}
			return nil
		case line := <-lines:
			answer := c.answer(ctx, score, line)
			if ctx.Err() != nil {
				return fmt.Errorf("serve: batch: %w", context.Cause(ctx))
			}
			if err := out.Encode(answer); err != nil {
				return fmt.Errorf("serve: batch: %w", err)
			}
		}
	}
}

// readLines hands over the lines that are not empty, until the input ends.
func readLines(ctx context.Context, from io.Reader, lines chan<- []byte) error {
	in := bufio.NewReader(from)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 && string(line) != "\n" {
			select {
			case lines <- line:
			case <-ctx.Done():
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// answer scores one line; a panic fails its mini-batch only.
func (o *BatchOptions) answer(ctx context.Context, score ScoreBatch, line []byte) (answer BatchAnswer) {
	var in BatchRequest
	if err := json.Unmarshal(line, &in); err != nil {
		return BatchAnswer{Error: fmt.Sprintf("the line is no mini-batch: %v", err)}
	}
	defer func() {
		if p := recover(); p != nil {
			o.Logger.Error("scoring panicked", "panic", p, "stack", string(debug.Stack()))
			answer = BatchAnswer{Error: fmt.Sprintf("scoring panicked: %v", p)}
		}
	}()
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	start := time.Now()
	results, err := score(ctx, in.Files)
	if err != nil {
		o.Logger.Error("a mini-batch failed", "files", len(in.Files), "error", err)
		return BatchAnswer{Error: err.Error()}
	}
	o.Logger.Info("scored", "files", len(in.Files), "rows", len(results), "took", time.Since(start).Round(time.Millisecond).String())
	return BatchAnswer{Results: results}
}
