//! A table as a Parquet file: one row group, dictionaries and Snappy; nothing in it says when or by which version it was written, so that the
//! same rows are the same bytes.

use std::fmt::Write as _;
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;

use super::columns::{Column, Table};
use super::{Error, SCHEMA_VERSION};
use crate::base::Sha256;

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        Self::Encode(error.to_string())
    }
}

/// The bytes of a table.
pub(super) fn encode(table: &Table<'_>, archive: Sha256) -> Result<Vec<u8>, Error> {
    let schema = Arc::new(parse_message_type(&message(table))?);
    let said = vec![
        KeyValue::new("supplychain.schema".to_owned(), SCHEMA_VERSION.to_string()),
        KeyValue::new("supplychain.archive".to_owned(), archive.to_string()),
    ];
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("cargo-supplychain".to_owned())
        .set_key_value_metadata(Some(said))
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, column) in &table.columns {
        write(&mut group, column)?;
    }
    group.close()?;
    Ok(writer.into_inner()?)
}

fn message(table: &Table<'_>) -> String {
    let mut message = format!("message {} {{\n", table.name);
    for (name, column) in &table.columns {
        let field = match column {
            Column::Number(_) => format!("required int64 {name}"),
            Column::Time(_) => format!("optional int64 {name} (TIMESTAMP(MILLIS, true))"),
            Column::Text(_) => format!("required binary {name} (STRING)"),
            Column::OptionalText(_) => format!("optional binary {name} (STRING)"),
        };
        writeln!(message, "  {field};").expect("writing to a string cannot fail");
    }
    message + "}\n"
}

fn write(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, column: &Column<'_>) -> Result<(), Error> {
    match column {
        Column::Number(values) => put::<Int64Type>(group, values, None),
        Column::Time(values) => {
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            let present: Vec<i64> = values.iter().filter_map(|value| *value).collect();
            put::<Int64Type>(group, &present, Some(&levels))
        }
        Column::Text(values) => {
            let values: Vec<ByteArray> = values.iter().map(|value| ByteArray::from(value.as_ref())).collect();
            put::<ByteArrayType>(group, &values, None)
        }
        Column::OptionalText(values) => {
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            let present: Vec<ByteArray> = values.iter().flatten().map(|value| ByteArray::from(value.as_ref())).collect();
            put::<ByteArrayType>(group, &present, Some(&levels))
        }
    }
}

fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), Error> {
    let mut column = group.next_column()?.ok_or_else(|| Error::Encode("a column is missing".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()?;
    Ok(())
}
