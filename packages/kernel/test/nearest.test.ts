import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../src/nearest.ts'

const known = ['--replicas', '--listen', '--policy', '--manage']

test('a slip of the fingers finds the word that was meant', () => {
  assert.equal(nearest('--replcas', known), '--replicas')
  assert.equal(nearest('--lisetn', known), '--listen')
  assert.equal(nearest('--POLICY', known), '--policy')
})

test('a word that is like none of them finds nothing', () => {
  assert.equal(nearest('--completely-different', known), undefined)
  assert.equal(nearest('x', []), undefined)
})
