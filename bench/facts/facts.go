// Package facts has the parts of `bench facts` that run in processes of their own: it makes a cinema's viewing, computes the
// facts of three experiments from it, and reads the same columns for nothing.
package facts

import "context"

// Parts are called with their arguments, and write what they have to say as the last line of their output.
var Parts = map[string]func(context.Context, []string) error{
	"write-views": writeViews, "read-pages": floor, "make-facts": pass, "make-zeros": passNothing, "write-facts": passRows,
}
