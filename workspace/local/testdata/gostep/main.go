// Command gostep is a step of a test's pipeline: gen N DIR writes the numbers up
// to N, sum IN OUT adds them.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if args[0] == "gen" {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		for i := range n {
			if err := os.WriteFile(filepath.Join(args[2], strconv.Itoa(i)), []byte(strconv.Itoa(i+1)), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	files, err := filepath.Glob(filepath.Join(args[1], "*"))
	if err != nil {
		return err
	}
	sum := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(b))
		if err != nil {
			return err
		}
		sum += n
	}
	return os.WriteFile(filepath.Join(args[2], "n"), []byte(strconv.Itoa(sum)+"\n"), 0o600)
}
