package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func Example() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	svg := filepath.Join(dir, "run.svg")
	if err := run(context.Background(), os.Stdout, &options{compute: "cpu-cluster", environment: "azureml:sklearn-1.5@latest", svg: svg}); err != nil {
		fmt.Println(err)
	}
	picture, err := os.ReadFile(svg)
	fmt.Println(strings.Contains(string(picture), "5 completed"), err)
	// Output:
	// ---
	// title: "tumours"
	// ---
	// flowchart TD
	//   n0(["table"]):::port
	//   n1(["epochs"]):::port
	//   n2["prepare<br/><small>command</small>"]:::plain
	//   n3["train_fast<br/><small>command</small>"]:::plain
	//   n4["train_slow<br/><small>command</small>"]:::plain
	//   n5["train_steady<br/><small>command</small>"]:::plain
	//   n6["pick<br/><small>command</small>"]:::plain
	//   n7(["best"]):::port
	//   n8(["report"]):::port
	//   n0 --> n2
	//   n1 --> n3
	//   n1 --> n4
	//   n1 --> n5
	//   n2 -->|"rows"| n3
	//   n2 -->|"rows"| n4
	//   n2 -->|"rows"| n5
	//   n2 -->|"rows"| n6
	//   n3 -->|"model"| n6
	//   n4 -->|"model"| n6
	//   n5 -->|"model"| n6
	//   n6 --> n7
	//   n6 --> n8
	//   classDef plain fill:#f6f8fa,stroke:#818b98,color:#1f2328
	//   classDef port fill:#ffffff,stroke:#afb8c1,color:#1f2328
	//
	// first run: Completed, 0 of 5 steps reused
	//   model 1 tells 0.947 of the rows right that it has not seen
	//   model 2 tells 0.991 of the rows right that it has not seen
	//   model 3 tells 0.982 of the rows right that it has not seen
	//   model 2 is kept
	// second run: Completed, 5 of 5 steps reused
	//   model 1 tells 0.947 of the rows right that it has not seen
	//   model 2 tells 0.991 of the rows right that it has not seen
	//   model 3 tells 0.982 of the rows right that it has not seen
	//   model 2 is kept
	// registered the custom_model tumours:1
	// true <nil>
}
