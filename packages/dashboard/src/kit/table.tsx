import type { ComponentChildren } from 'preact'

/** One column: its heading, and what a row shows there. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ComponentChildren
  /** Numbers stand at the right, one below the other. */
  readonly isNumber?: boolean
  /** The heading is for screen readers only. */
  readonly isSilent?: boolean
  /** Takes what width is left. */
  readonly isWide?: boolean
}

interface TableProps<Row> {
  /** What screen readers call it. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly classOf?: (row: Row) => string
}

/** A table; on narrow screens each row becomes a card whose cells say their column. */
export function Table<Row>({ label, columns, rows, keyOf, classOf }: TableProps<Row>) {
  return (
    <table aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ title, isNumber, isSilent }) => (
            <th key={title} scope="col" class={isNumber ? 'number' : ''}>
              {isSilent ? <span class="silent">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)} class={classOf?.(row) ?? ''}>
            {columns.map(({ title, cell, isNumber, isSilent, isWide }) => (
              <td
                key={title}
                data-title={isSilent ? '' : title}
                class={`${isNumber ? 'number' : ''} ${isWide ? 'wide' : ''}`}
              >
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
