package columns

import "github.com/parquet-go/parquet-go"

// Type is the type of a column as the file has it, and whether it holds lists. What a lake table's columns hold is in
// their contract; of anybody's file this tells it.
func (f *File) Type(column string) (t parquet.Type, lists bool, err error) {
	i, err := f.column(column)
	if err != nil {
		return nil, false, err
	}
	leaf, _ := f.footer.Schema().Lookup(f.footer.Schema().Columns()[i]...)
	return leaf.Node.Type(), leaf.MaxRepetitionLevel > 0, nil
}
