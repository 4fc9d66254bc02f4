import { Type } from '@drover/kernel'
import { problem, replicaId } from './views.ts'

const tags = ['course']
const text = Type.String()

const complaints = Type.Object({
  detail: Type.Array(
    Type.Object({
      type: text,
      loc: Type.Array(Type.Union([Type.Integer(), text])),
      msg: text,
    }),
  ),
})
const complaint = Type.Object({ detail: text })

/** What the course does not fix comes as everywhere else. */
const others = { '4xx': problem, '5xx': problem }

export const usersSchema = {
  tags,
  summary: 'Make an account',
  body: Type.Object({ email: text, password: text }),
  response: { 200: Type.Object({ message: text }), 400: complaint, 422: complaints, ...others },
}

export const tokenSchema = {
  tags,
  summary: 'Log in by a form, as OAuth2 has it',
  consumes: ['application/x-www-form-urlencoded'],
  body: Type.Object({ username: text, password: text }),
  response: {
    200: Type.Object({ access_token: text, token_type: text }),
    401: complaint,
    422: complaints,
    ...others,
  },
}

export const receiveSchema = {
  tags,
  summary: 'Submit a job; `user_Id` and `callback` are read, too',
  body: Type.Object({
    user_id: Type.Union([text, Type.Integer()]),
    request_url: text,
    type: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3)]),
    callback_url: Type.Optional(text),
  }),
  response: {
    200: Type.Object({
      success: Type.Boolean(),
      data: Type.Object({ id: replicaId, job: text }),
      message: text,
    }),
    401: complaint,
    422: complaints,
    ...others,
  },
}

export const testSchema = {
  tags,
  summary: 'Which replica answers',
  response: {
    200: Type.Object({
      success: Type.Boolean(),
      data: Type.Object({ id: replicaId }),
      message: text,
    }),
    ...others,
  },
}
