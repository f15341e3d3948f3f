package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout, false, "cpu-cluster", "azureml:sklearn-1.5@latest"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// registered the model tumours:1
	// deployed the scoring program logistic
	// scored 12 files
	//   row 0: benign with probability 0.00; in truth false
	//   row 1: benign with probability 0.00; in truth false
	//   row 2: benign with probability 0.00; in truth false
	// 569 scores, 98.9 % of them right
}
